/** The marker by which a host knows which ABI a module speaks. */
export function proxy_abi_version_0_2_1(): void {}
