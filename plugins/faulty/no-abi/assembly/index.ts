// Good in every way but one: it does not say which ABI it speaks.
import { registerPlugin, RootContext } from "../../../sdk/assembly";

export * from "../../../sdk/assembly/callbacks";

registerPlugin(() => new RootContext());
