/** What is at a reference or in a file, as far as it can be told without running it. */
export interface ModuleInspection {
  /** `HOST/NAME:TAG`, or the path of a file. */
  readonly name: string;
  /** What lies in the registry; absent for a file. */
  readonly artifact?: InspectedArtifact;
  /** Absent where no module could be taken out of it. */
  readonly module?: InspectedModule;
  /** Why there is no module, or why it cannot be read. */
  readonly fault?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface InspectedArtifact {
  /** Of what the reference names, index or manifest. */
  readonly digest: string;
  readonly mediaType: string;
  /** The entries of an index; empty for a manifest. */
  readonly children: readonly InspectedChild[];
  readonly manifest?: InspectedManifest;
  readonly signatures: InspectedSignatures;
}

export interface InspectedSignatures {
  /** `unchecked`: no key was given, or the registry does not tell. */
  readonly state: 'verified' | 'unsigned' | 'failed' | 'unchecked';
  readonly text: string;
}

export interface InspectedChild {
  readonly digest: string;
  readonly mediaType: string;
  /** `os/architecture`, or nothing. */
  readonly platform: string;
  readonly sizeBytes: number;
  /** The one whose module is taken. */
  readonly chosen: boolean;
}

export interface InspectedManifest {
  readonly digest: string;
  readonly artifactType: string | undefined;
  readonly configType: string;
  readonly layers: readonly InspectedLayer[];
  /** Of the index too, where there is one; the manifest's own win. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface InspectedLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly title: string | undefined;
}

export interface InspectedModule {
  /** Hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Which rule found it: a layout's name, `plain`, `archive`. */
  readonly layout: string;
  /** `0.2.1`; undefined: it exports none that Envoy knows. */
  readonly abi: string | undefined;
  /** Of the memory that it begins with, in pages of 64 KiB. */
  readonly memoryPages: number;
  /** `MODULE.NAME(SIGNATURE)`, functions and others, in the order of the module. */
  readonly imports: readonly InspectedSymbol[];
  readonly exports: readonly InspectedSymbol[];
  /** The JSON schema of its configuration, or in words why that cannot be used; absent: it brings none. */
  readonly configSchema?: unknown;
}

/** What is in a module that is kept, by hex sha256; undefined: its bytes are not here. */
export type InspectModule = (sha256: string) => Promise<InspectedModule | undefined>;

export interface InspectedSymbol {
  readonly kind: string;
  /** `env.proxy_log` of an import, `proxy_on_configure` of an export. */
  readonly name: string;
  /** `i32,i32->i32` of a function. */
  readonly signature: string | undefined;
}
