import { until } from '../harness/wait.ts';
import type { Fleet } from './fleet.ts';
import { asCi, ENV, realRun, SHORTENED, toDocument, write } from './on-call.ts';
import type { Step } from './step.ts';

const B1: readonly Step<Fleet>[] = [
  {
    story: 'B1',
    title: 'CI applies 1.6.0; three of thirty canaries refuse; the phone says so',
    types: 'attache apply -f auth.yaml -m "auth 1.6.0, JIRA-812" --wait',
    otherwise: ['the soak of step 1 is 6 s, not 2 min: the document says so'],
    async act(fleet) {
      write(fleet, 'auth.yaml', toDocument('auth', '1.6.0', SHORTENED, ENV));
      fleet.mark();
      const applied = await fleet.desk.type(
        'attache apply -f auth.yaml -m "auth 1.6.0, JIRA-812" --wait',
        asCi(fleet),
      );
      const page = await until(
        () => fleet.phone.received.find(({ body }) => body.includes('rollout.rolled-back')),
        { what: 'the phone to ring' },
      );
      const [first = ''] = [...fleet.withoutMount];
      fleet.desk.names.push([/\bedge-b-041\b/g, first]);
      return { ...applied, out: JSON.parse(page.body).text };
    },
    exit: 4,
    screen: [
      {
        screen:
          'edge/auth RolledBack: revision 8 was refused by 3 of 30 nodes of step 2; first edge-b-041 at 02:59:07: "Unable to create Wasm plugin edge/auth". All 30 nodes run revision 7 since 02:59:10. 270 nodes were never touched. https://attache.internal/…',
        ours: /^edge\/auth RolledBack: .*$/m,
        because:
          'It went back at the first refusal that was confirmed, before the two others were. Times are UTC and say so.',
      },
    ],
  },
  {
    story: 'B1',
    title: 'one call says what, why, who first, how many, whether all are back, what next',
    types: 'attache rollout status edge/auth --once',
    exit: 4,
    screen: [
      'edge/auth  7 → 8   RolledBack   02:59:10                        started 02:57:02 by ci-edge  "auth 1.6.0, JIRA-812"',
      {
        screen:
          'why: 3 nodes refused revision 8, first edge-b-041 at 02:59:07: "Unable to create Wasm plugin edge/auth"',
        ours: /^ +why: (\d nodes refused revision 3, first )?edge-\S+( refused revision 3)? at \S+: "Unable to create Wasm plugin edge\/auth"$/m,
        because: 'It went back at the first refusal that was confirmed, before the two others were.',
      },
      {
        screen: '├─ step 1   1 node asked, 1 of 300        passed     2m 0s     edge-a-017',
        ours: /^├─ step 1 +1 node asked, 1 of 300 nodes +passed +\S+ s +edge-\S+$/m,
        because: 'It says of 300 what: nodes.',
      },
      {
        screen: '├─ step 2   10 % asked, 30 of 300         FAILED     after 1.2 s',
        ours: /^├─ step 2 +10 % asked, 30 of 300 nodes +FAILED +after \S+ s$/m,
        because: 'It says of 300 what: nodes.',
      },
      {
        screen: '│  ├─ 27 Accepted revision 8, back on 7 (27 of 27 confirmed, 2.9 s)',
        ours: /^│ +├─ +\d+ Accepted +revision 3, back on 2 \(\d+ of \d+ confirmed, \S+ s\)$/m,
        because: 'Those of the others without the mount that had not said no are back, too.',
      },
      {
        screen: '│  └─  3 Refused  edge-b-041, edge-b-055, edge-c-009           never left revision 7',
        ours: /^│ +└─ +\d Refused +edge-\S+(, edge-\S+)* +never left revision 2$/m,
        because: 'As many as were confirmed when it went back.',
      },
      '├─ step 3   50 %, 150 nodes               not started',
      {
        screen: '└─ step 4   100 %, 300 nodes              not started',
        ours: /^├─ step 4 +100 %, 300 nodes +not started\n└─ gates +refusals FAILED .*$/m,
        because: 'The gates are the last branch.',
      },
      {
        screen:
          "the cause is in the Envoy log of those nodes only. There: grep 'wasm log edge/auth' <envoy log>, around 02:59:07",
        ours: /^the cause is in the Envoy log of \S+( nodes)? only\. There: grep 'wasm log edge\/auth' <envoy log>, around \S+$/m,
        because: 'One node is named.',
      },
      'what the trial run said: ok, but it could not know these: env TOKEN_FILE comes from the host (vmConfig.env valueFrom HOST)',
      {
        screen: 'next: fix and apply, or attache rollout retry edge/auth',
        ours: /^next: fix and apply\n +attache rollout retry edge\/auth +to try it again$/m,
        because: 'A line for each thing that one can do.',
      },
    ],
    async checks(fleet) {
      const touched = fleet.touched().length;
      const first = await until(() => fleet.running('auth:1.6.0').length === 0, {
        what: 'everybody to be back',
      }).then(
        () => true,
        () => false,
      );
      return [
        { what: 'no node runs revision 8', isSo: first },
        { what: 'no more than 30 nodes were touched', isSo: touched <= 30, seen: String(touched) },
        await realRun(fleet, '1.5'),
      ];
    },
  },
  {
    story: 'B1',
    title: 'the node that was first to say no',
    types: 'attache describe node edge-b-041',
    exit: 0,
    screen: [
      {
        screen:
          'edge-b-041   Connected since 4d   Envoy 1.40.0   zone b   namespace edge   labels role=edge zone=b',
        ours: /^edge-(\w)-\S+ +Connected since \S+.* +Envoy \S+ +zone \1 +namespace edge +labels role=edge zone=\1$/m,
        because: 'Another node of another zone is the first one here.',
      },
      'PLUGIN  WANTED  RUNS  STATE    AGE   ENVOY SAID',
      {
        screen:
          'auth    7       7     Loaded   3m    revision 8 refused at 02:59:07: "Unable to create Wasm plugin edge/auth"',
        ours: /^auth +2 +2 +Accepted +\S+ +revision 3 refused at \S+: "Unable to create Wasm plugin edge\/auth"$/m,
        because: 'A modelled Envoy counts no VMs, so nothing proves that it has loaded what it took.',
      },
      {
        screen: 'limit   3       3     Loaded   9d',
        ours: /^limit +1 +1 +Accepted +\S+$/m,
        because: 'As above.',
      },
      {
        screen: 'listener ingress: auth (AUTHN) → limit → router',
        ours: /^listener ingress: auth \(AUTHN\) → limit \(AUTHZ\) → router$/m,
        because: 'The replayed limit has a phase.',
      },
    ],
  },
];

const B2: readonly Step<Fleet>[] = [
  {
    story: 'B2',
    title: 'CI runs again and applies the same file',
    types: 'attache apply -f auth.yaml --wait',
    async act(fleet) {
      fleet.mark();
      return fleet.desk.type('attache apply -f auth.yaml --wait', asCi(fleet));
    },
    exit: 4,
    screen: [
      {
        screen:
          'edge/auth: revision 8 (module 41d0aa93be02, config 77c1e0) was refused at 02:59 by edge-b-041 and 2 more and is held back for edge/auth.',
        ours: /^edge\/auth: revision 3 \(module \w+, config \w+\) was refused by edge-\S+( and \d more)? at \S+ and is held back; \d+ nodes run revision 2$/m,
        because: 'As many as were confirmed; and what runs follows on the same line.',
      },
      {
        screen: 'nothing was changed; 300 nodes run revision 7.',
        ours: null,
        because: 'On the line before: it is held back, and 299 connected nodes run the revision before it.',
      },
      {
        screen: 'to try it again: attache rollout retry edge/auth -m "why"',
        ours: /^to try it again: attache rollout retry edge\/auth$/m,
        because: '-m can be left out.',
      },
    ],
    async checks(fleet) {
      const audit = await fleet.desk.must('attache audit --since 1h --action plugin.held-back');
      return [
        { what: 'nobody was touched', isSo: fleet.touched().length === 0 },
        { what: 'nobody was woken', isSo: fleet.pages() === 0 },
        {
          what: 'the audit has one line: apply by ci-edge: held back',
          isSo: /^\S+ +ci-edge .*apply by ci-edge: held back\n$/.test(audit.out),
          seen: audit.out,
        },
      ];
    },
  },
];

const B3: readonly Step<Fleet>[] = [
  {
    story: 'B3',
    title: 'a module that loads and answers 503',
    types:
      'attache apply -f auth-1.6.1.yaml -m "auth 1.6.1 without TOKEN_FILE" && attache rollout status edge/auth',
    async act(fleet) {
      write(fleet, 'auth-1.6.1.yaml', toDocument('auth', '1.6.1', ''));
      fleet.mark();
      return fleet.desk.type(
        'attache apply -f auth-1.6.1.yaml -m "auth 1.6.1 without TOKEN_FILE" && attache rollout status edge/auth',
        { inTerminal: true },
      );
    },
    exit: 4,
    screen: [
      'plugin edge/auth configured, revision 9',
      '  module   oci://registry.example/auth:1.6.1 → sha256 c3b2…, 1.1 MB',
      '  checked  ABI 0.2.1, 31 imports known to Envoy 1.39 and 1.40, configure ran: ok',
      {
        screen: '  targets  300 nodes (299 connected; edge-c-044 gone for 6 d)',
        ours: /^ +targets +300 nodes, 299 connected \(namespace edge, role=edge\)$/m,
        because:
          'What is selected is told; who is gone and since when, attache get nodes --sort-by state does (B6).',
      },
      {
        screen: '  rollout  edge.auth.9, preset standard: 1, 30, 150, 300 nodes; about 22 min with the bake',
        ours: /^ +rollout +edge\.auth\.\d+, preset standard \(default\): 1, 30, 150, 300 nodes; about 22 min with the bake$/m,
        because: 'That nobody asked for this preset is told.',
      },
      {
        screen: 'edge/auth  7 → 9   RollingBack',
        ours: /^edge\/auth +2 → 4 +(RollingBack|RolledBack) +\S+ .*"auth 1\.6\.1 without TOKEN_FILE"$/m,
        because: 'It may be over between two frames; since when, who and why stand on the same line.',
      },
      {
        screen: '├─ step 1   1 node asked, 1 of 300   FAILED after 11 s',
        ours: /^├─ step 1 +1 node asked, 1 of 300 nodes +FAILED +after \S+ s$/m,
        because: 'It says of 300 what: nodes.',
      },
      {
        screen:
          '│  └─ edge-b-112   Degraded   accepted, then answered 503 to 398 of 398 requests in 10 s; 299 others: 0.2 % of 121,940',
        ours: /^│ +└─ +edge-\S+ +Degraded +accepted, then answered 5xx to [\d,]+ of [\d,]+ requests in 10 s; \d+ others: \S+ % of [\d,]+/m,
        because: 'Envoys push how many answers were 5xx, not which.',
      },
      {
        screen: 'RolledBack in 12 s: edge-b-112 is back on revision 7 (confirmed). 299 nodes never touched.',
        ours: /^RolledBack in \S+ s: edge-\S+ is back on revision 2 \(confirmed\)\. 299 nodes never touched$/m,
        because:
          'The time counts from the decision to the last confirmation; the outage is the time of the step.',
      },
      {
        screen: "next: attache bundle rollout edge.auth.9 > auth-9.tgz for the plugin's authors",
        ours: /^next: fix and apply\n +attache bundle rollout (edge\.auth\.\d+) > \1\.json +for the authors of the plugin$/m,
        because: 'A bundle is one JSON file; and what else one can do is told as well.',
      },
    ],
    async checks(fleet) {
      const { items } = await fleet.read('/v1/rollouts?limit=50');
      const rollout = items.find((it: { plugin: string }) => it.plugin === 'edge/auth');
      const detail = await fleet.read(`/v1/rollouts/${rollout.id}`);
      const tookMs = Date.parse(detail.endedAt) - Date.parse(detail.startedAt);
      const touched = fleet.touched().length;
      return [
        { what: `one node was touched, at most`, isSo: touched <= 1, seen: String(touched) },
        { what: 'it was over within 20 s', isSo: tookMs <= 20_000, seen: `${tookMs} ms` },
        await realRun(fleet, '1.5'),
      ];
    },
  },
];

/** Section B until 03:30: what fails, and goes back. */
export const FAILURES: readonly Step<Fleet>[] = [...B1, ...B2, ...B3];
