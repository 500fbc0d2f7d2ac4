/**
 * The compiler's format number: it rises with any change that alters compiled bytes. test/compile/golden.test.ts
 * guards it.
 *
 * Each side of an Assignment holds the number that its nodes are served in (Side.format), so that an upgrade of
 * Attaché reaches them through a rollout of kind `format` from the old number to this one, like any other change. A
 * compiler with two formats makes a plugin in the format of the node's side, and drops the old one in the release
 * after. There is one so far: every side is compiled in it, whatever its number, and rollouts of the format alone
 * change no byte.
 */
export const COMPILE_FORMAT = 1;
