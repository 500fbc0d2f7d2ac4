/**
 * The compiler's format number, kept in every Assignment: it rises with any change that alters compiled bytes,
 * so that an upgrade reaches nodes through a rollout. test/compile/golden.test.ts guards it.
 */
export const COMPILE_FORMAT = 1;
