// Good in every way but one: it speaks an ABI that no Envoy has.
import { registerPlugin, RootContext } from "../../../sdk/assembly";

export * from "../../../sdk/assembly/callbacks";

export function proxy_abi_version_0_3_0(): void {}

registerPlugin(() => new RootContext());
