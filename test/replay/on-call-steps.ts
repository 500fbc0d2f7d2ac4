import { until } from '../harness/wait.ts';
import type { Fleet } from './fleet.ts';
import { GONE } from './fleet.ts';
import { toDocument } from './on-call.ts';
import type { Check, Step } from './step.ts';

const asCi = (fleet: Fleet) => ({ env: { ATTACHE_TOKEN: fleet.ciToken } });

/** The night's own steps: those of `standard`, with soaks that a replay can wait for. */
const SHORTENED =
  '{ steps: [{ nodes: 1, soak: 6s }, { share: 10%, soak: 15s }, { share: 50%, soak: 15s }], bake: 15s }';
const ENV = '  vmConfig: { env: [{ name: TOKEN_FILE, valueFrom: HOST }] }\n';

function write(fleet: Fleet, name: string, text: string): void {
  fleet.desk.write(name, fleet.desk.localize(text));
}

/** All real Envoys answer as auth of this version says. */
async function realRun(fleet: Fleet, version: string): Promise<Check> {
  const stamps = await Promise.all(fleet.real.map(({ stamp }) => stamp()));
  return {
    what: `the six real Envoys run auth ${version}`,
    isSo: stamps.every(stamp => stamp === version),
    seen: stamps.join(', '),
  };
}

/** Nodes of the model to which anything was sent since. */
function touchedSince(fleet: Fleet, before: ReadonlyMap<string, number>): readonly string[] {
  return [...fleet.pushes()].filter(([id, count]) => count > (before.get(id) ?? 0)).map(([id]) => id);
}

let before: ReadonlyMap<string, number> = new Map();
let pages = 0;

const B1: readonly Step<Fleet>[] = [
  {
    story: 'B1',
    title: 'CI applies 1.6.0; three of thirty canaries refuse; the phone says so',
    types: 'attache apply -f auth.yaml -m "auth 1.6.0, JIRA-812" --wait',
    otherwise: ['the soak of step 1 is 6 s, not 2 min: the document says so'],
    async act(fleet) {
      write(fleet, 'auth.yaml', toDocument('auth', '1.6.0', SHORTENED, ENV));
      before = fleet.pushes();
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
      const touched = touchedSince(fleet, before).length;
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
      before = fleet.pushes();
      pages = fleet.phone.received.length;
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
        { what: 'nobody was touched', isSo: touchedSince(fleet, before).length === 0 },
        { what: 'nobody was woken', isSo: fleet.phone.received.length === pages },
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
      before = fleet.pushes();
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
      const touched = touchedSince(fleet, before).length;
      return [
        { what: `one node was touched, at most`, isSo: touched <= 1, seen: String(touched) },
        { what: 'it was over within 20 s', isSo: tookMs <= 20_000, seen: `${tookMs} ms` },
        await realRun(fleet, '1.5'),
      ];
    },
  },
];

const B4: readonly Step<Fleet>[] = [
  {
    story: 'B4',
    title: 'the registry is down',
    types: 'attache apply -f auth-1.6.2.yaml -m "auth 1.6.2"',
    async act(fleet) {
      await fleet.stopRegistry();
      write(fleet, 'auth-1.6.2.yaml', toDocument('auth', '1.6.2', ''));
      before = fleet.pushes();
      return fleet.desk.type('attache apply -f auth-1.6.2.yaml -m "auth 1.6.2"');
    },
    exit: 6,
    screen: [
      'plugin edge/auth configured, revision pending: no module yet',
      {
        screen:
          '  registry.example: connection timed out (3 tries, next in 8 s). The fleet runs revision 7 and needs no registry.',
        ours: /^ +127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED \S+ The fleet runs revision 2 and needs no registry\.$/m,
        because:
          'The registry was stopped here, so that its port refuses; how often it was tried is in attache events.',
      },
      '  Attaché keeps trying until 04:31, then gives up. No node is touched meanwhile.',
      '  have the file? attache push auth.wasm auth:1.6.2     stop: attache rollout abort edge/auth',
    ],
    checks: fleet => [{ what: 'nobody was touched', isSo: touchedSince(fleet, before).length === 0 }],
  },
  {
    story: 'B4',
    title: 'the file goes to the built-in registry',
    types: 'attache push ci-artifacts/auth-1.6.2.wasm auth:1.6.2',
    exit: 0,
    screen: ['  url: oci://attache.internal:18002/auth:1.6.2'],
  },
  {
    story: 'B4',
    title: 'the document names it there, and goes out faster than usual',
    types: 'attache apply -f auth-1.6.2.yaml -m "auth 1.6.2 from the built-in registry" --preset fast',
    act: fleet =>
      fleet.desk.type(
        'sed -i \'s#registry.example#attache.internal:18002#\' auth-1.6.2.yaml && attache apply -f auth-1.6.2.yaml -m "auth 1.6.2 from the built-in registry" --preset fast',
      ),
    exit: 0,
    screen: [
      'plugin edge/auth configured, revision 10 (the waiting one is superseded)',
      '  rollout  edge.auth.11, preset fast (this rollout only, by admin): 75, 150, 300 nodes; about 2 min with the bake',
    ],
  },
];

const B5: readonly Step<Fleet>[] = [
  {
    story: 'B5',
    title: 'the control plane is restarted in the middle',
    otherwise: [
      'the soak of step 1 was ended by attache rollout promote; the server is restarted by the replay, not by systemd',
    ],
    types: 'attache rollout status edge/auth',
    async act(fleet) {
      const watching = fleet.desk.start('exec attache rollout status edge/auth', { inTerminal: true });
      const at = (step: number, what: string) =>
        until(
          async () => {
            const view = await fleet.read('/v1/rollouts/edge.auth.latest');
            return view.step === step && view.timer?.what === what && view;
          },
          { what: `step ${step} to ${what}`, deadlineMs: 60_000, everyMs: 200 },
        );
      await at(1, 'soak');
      await fleet.desk.must('attache rollout promote edge/auth -m "replayed: no need to wait"');
      await at(2, 'soak');
      moved = fleet.running('auth:1.6.2');
      await until(async () => (await at(2, 'soak')).timer.leftMs < 24_000, { what: 'a part of the soak' });
      const repeated = fleet.repeated();
      await fleet.restartServer();
      await fleet.untilConnected(299);
      stayed = fleet.running('auth:1.6.2');
      sentAgain = fleet.repeated() - repeated;
      return watching.ended;
    },
    exit: 0,
    screen: [
      {
        screen: 'edge/auth  7 → 10   Progressing   step 2 of 3',
        ours: /^edge\/auth +2 → 5 +Progressing +step 2 of 3 .*$/m,
        because: 'When it began, who and why stand on the same line.',
      },
      {
        screen: '├─ step 1   25 % asked, 75 of 300    passed    31 s',
        ours: /^├─ step 1 +25 % asked, 75 of 300 nodes +passed +\S+ s/m,
        because: 'It says of 300 what: nodes.',
      },
      {
        screen: '├─ step 2   50 % asked, 150 of 300   soaking   0:12 of 0:30',
        ours: /^├─ step 2 +50 % asked, 150 of 300 nodes +soaking +0:\d\d of 0:30/m,
        because: 'It says of 300 what: nodes.',
      },
      '03:34:40 lost http://attache.internal:18002, trying again',
      '03:34:43 connected again',
      {
        screen:
          'edge/auth  7 → 10   Progressing   step 2 of 3   (Attaché restarted at 03:34:41; 211 of 299 Envoys are back, waiting for the rest before judging)',
        ours: /^ +\(Attaché restarted at \S+; \d+ of 299 Envoys (is|are) back, waiting for the rest before judging\)$/m,
        because: 'On a line of its own.',
      },
      'Succeeded in 2m 24s: 299 of 299 connected nodes run revision 10; edge-c-044 is gone and gets it when it returns',
    ],
    checks: async fleet => {
      return [
        {
          what: 'the same nodes after the restart',
          isSo: moved.length > 100 && moved.toSorted().join() === stayed.toSorted().join(),
          seen: `${moved.length} before, ${stayed.length} after`,
        },
        { what: 'no node got a byte that it had', isSo: sentAgain === 0, seen: `${sentAgain} resources` },
        await realRun(fleet, '1.6.2'),
      ];
    },
  },
];
let moved: readonly string[] = [];
let stayed: readonly string[] = [];
/** Resources that nodes got anew when they came back. */
let sentAgain = 0;

const B6: readonly Step<Fleet>[] = [
  {
    story: 'B6',
    title: 'the node that is gone, with what it ran last',
    types: 'attache get nodes --selector zone=c --sort-by state | head -3',
    exit: 0,
    screen: [
      'NAME        GROUP  ZONE  ENVOY   STATE         PLUGINS  LAST ACK  AGE',
      {
        screen:
          'edge-c-044  –      c     1.39.3  Disconnected  0/2      6d        90d       runs unknown; last: auth 6, limit 3',
        ours: /^edge-c-044 +– +c +1\.39\.3 +Disconnected +\d\/2 .*runs unknown; last: auth 1, limit 1$/m,
        because: 'PLUGINS counts what it last had of what it is to have: limit.',
      },
    ],
  },
  {
    story: 'B6',
    title: 'it is forgotten',
    types: `attache delete node ${GONE} -m "VM retired"`,
    exit: 0,
    screen: ['node edge-c-044 forgotten. It comes back as new if it connects again.'],
  },
];

const B7: readonly Step<Fleet>[] = [
  {
    story: 'B7',
    title: 'an emergency: all nodes now',
    types: 'attache apply -f limit-fix.yaml -m "CVE-2026-…" --wait',
    otherwise: [
      'the document asks for all-at-once with a bake of 3 s; the flag --preset all-at-once (as fast in B4) bakes for 10 min',
    ],
    async act(fleet) {
      write(fleet, 'limit-fix.yaml', toDocument('limit', '1.1', '{ preset: all-at-once, bake: 3s }'));
      await fleet.startRegistry();
      return fleet.desk.type('attache apply -f limit-fix.yaml -m "CVE-2026-…" --wait');
    },
    exit: 0,
    screen: ['Succeeded in 4.1 s: 299 of 299 nodes run revision 4'],
  },
  {
    story: 'B7',
    title: 'nobody touches anything until nine',
    types: 'attache freeze -m "on-call, until 09:00"',
    exit: 0,
    screen: [
      'frozen: changes answer 423 with your message; running rollouts are paused; abort and undo still work; Envoys are served as ever',
    ],
  },
  {
    story: 'B7',
    title: 'CI tries',
    types: 'attache apply -f auth.yaml',
    act: fleet => fleet.desk.type('attache apply -f auth.yaml', asCi(fleet)),
    exit: 1,
    screen: ['error: frozen by admin since 03:52: "on-call, until 09:00". attache unfreeze lifts it.'],
  },
];

const B8: readonly Step<Fleet>[] = [
  {
    story: 'B8',
    title: 'the hand-over: history',
    types: 'attache rollout history edge/auth',
    exit: 0,
    screen: [
      'REVISION  DIGEST        CONFIG  RESULT      WHO      MESSAGE                                WHEN',
      '10        5510ce8a7d21  77c1e0  Succeeded   admin    auth 1.6.2 from the built-in registry  03:37',
      {
        screen:
          '9         c3b2e90f1188  77c1e0  RolledBack  admin    auth 1.6.1 without TOKEN_FILE          03:21   503 on edge-b-112',
        ours: /^4 +\w+ +\w+ +RolledBack +admin +auth 1\.6\.1 without TOKEN_FILE +\S+ +5xx on edge-\S+$/m,
        because: 'Envoys push how many answers were 5xx, not which.',
      },
      {
        screen:
          '8         41d0aa93be02  77c1e0  RolledBack  ci-edge  auth 1.6.0, JIRA-812                   02:59   refused by 3 nodes',
        ours: /^3 +\w+ +\w+ +RolledBack +ci-edge +auth 1\.6\.0, JIRA-812 +\S+ +refused by (\d nodes|edge-\S+)$/m,
        because: 'As many as were confirmed; one is named.',
      },
      {
        screen:
          '7         0f3d22c9be10  6e02aa  Succeeded   ci-edge  …                                      9d',
        ours: /^2 +\w+ +\w+ +Succeeded +ci-edge +auth 1\.5 +\S+$/m,
        because: 'The story leaves its message out.',
      },
    ],
  },
  {
    story: 'B8',
    title: 'events and audit as files',
    types:
      'attache events --since 2h -o json > incident.jsonl ; attache audit --since 2h -o json > audit.jsonl',
    exit: 0,
    screen: [],
    async checks({ desk }) {
      const [events, audit, verified] = await Promise.all([
        desk.type('cat incident.jsonl'),
        desk.type('cat audit.jsonl'),
        desk.type('attache audit --verify audit.jsonl'),
      ]);
      const types = new Set(linesOf(events.out).map(({ type }) => type));
      const actions = new Set(linesOf(audit.out).map(({ action }) => action));
      const wanted = ['rollout.rolled-back', 'rollout.succeeded', 'node.refused'];
      const decided = ['plugin.held-back', 'rollout.rolled-back', 'fleet.frozen'];
      return [
        has('the events tell of', wanted, types),
        has('the audit tells of', decided, actions),
        { what: 'the export of the audit proves itself', isSo: verified.code === 0, seen: verified.err },
      ];
    },
  },
];

function linesOf(text: string): readonly Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
}

function has(what: string, wanted: readonly string[], found: ReadonlySet<unknown>): Check {
  const missing = wanted.filter(one => !found.has(one));
  return {
    what: `${what} ${wanted.join(', ')}`,
    isSo: missing.length === 0,
    seen: `not ${missing}: ${[...found]}`,
  };
}

/** Section B: on call, 03:00, 300 Envoys. */
export const ON_CALL: readonly Step<Fleet>[] = [...B1, ...B2, ...B3, ...B4, ...B5, ...B6, ...B7, ...B8];
