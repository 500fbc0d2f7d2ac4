/** What an Envoy says of itself on its admin port. */
export class EnvoyAdmin {
  readonly #url: string;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  /**
   * How often listeners were added, changed or removed: while plugins change, none of it moves.
   * https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#listener-manager
   */
  async countListenerUpdates(): Promise<number> {
    const response = await fetch(`${this.#url}/stats?format=json&filter=${encodeURIComponent(FILTER)}`);
    const { stats } = (await response.json()) as { stats: readonly { name?: string; value?: number }[] };
    return stats.reduce((sum, stat) => sum + (stat.value ?? 0), 0);
  }
}

const FILTER =
  '^listener_manager\\.(listener_added|listener_modified|listener_removed|lds\\.update_success)$';
