import { until } from '../harness/wait.ts';
import { type Fleet, GONE } from './fleet.ts';
import { asCi, realRun, toDocument, write } from './on-call.ts';
import type { Check, Step } from './step.ts';

const B4: readonly Step<Fleet>[] = [
  {
    story: 'B4',
    title: 'the registry is down',
    types: 'attache apply -f auth-1.6.2.yaml -m "auth 1.6.2"',
    async act(fleet) {
      await fleet.stopRegistry();
      write(fleet, 'auth-1.6.2.yaml', toDocument('auth', '1.6.2', ''));
      fleet.mark();
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
    checks: fleet => [{ what: 'nobody was touched', isSo: fleet.touched().length === 0 }],
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

/** Who had the new revision before and after the restart, and what nodes that came back were sent although they had it. */
const seen: { moved: readonly string[]; stayed: readonly string[]; sentAgain: number } = {
  moved: [],
  stayed: [],
  sentAgain: 0,
};

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
      seen.moved = fleet.running('auth:1.6.2');
      await until(async () => (await at(2, 'soak')).timer.leftMs < 24_000, { what: 'a part of the soak' });
      const repeated = fleet.repeated();
      await fleet.restartServer();
      await fleet.untilConnected(299);
      seen.stayed = fleet.running('auth:1.6.2');
      seen.sentAgain = fleet.repeated() - repeated;
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
          isSo: seen.moved.length > 100 && seen.moved.toSorted().join() === seen.stayed.toSorted().join(),
          seen: `${seen.moved.length} before, ${seen.stayed.length} after`,
        },
        {
          what: 'no node got a byte that it had',
          isSo: seen.sentAgain === 0,
          seen: `${seen.sentAgain} resources`,
        },
        await realRun(fleet, '1.6.2'),
      ];
    },
  },
];
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

/** Section B from 03:31 on: without a registry, through a restart, to the hand-over. */
export const RECOVERY: readonly Step<Fleet>[] = [...B4, ...B5, ...B6, ...B7, ...B8];
