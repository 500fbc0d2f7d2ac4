#!/bin/sh
# What a person would type. Ends with 0 when every step came true; the services stay up.
set -eu

url=http://envoy:10000/
registry=registry:5000
step() { printf '\n== %s\n' "$*"; }
request() { node /opt/request.mjs "$@"; }

plugin() {
  cat <<YAML
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: hello}
spec:
  url: oci://$registry/$1
  pluginConfig: {value: $2}
YAML
}

step 'the control plane answers'
request "$ATTACHE_SERVER/healthz"
attache delete plugin hello >/dev/null 2>&1 || true

step 'the Envoy gets a listener'
attache example listener --address 0.0.0.0 --port 10000 --upstream echo:8080 | attache apply -f -
request "$url" x-hello

step 'a plugin goes to the registry, and from there to the Envoy'
attache push /opt/attache/plugins/add-header.wasm "$registry/add-header:v1" --insecure-registry "$registry"
plugin add-header:v1 world | attache apply --wait -f -
request "$url" x-hello world

step 'another configuration'
plugin add-header:v1 again | attache apply --wait -f -
request "$url" x-hello again

step 'a module that the Envoy refuses'
attache push /opt/attache/plugins/faulty/refuses-config.wasm "$registry/refuses-config:v1" --insecure-registry "$registry"
code=0
plugin refuses-config:v1 again | attache apply --wait -f - || code=$?
if [ "$code" -ne 4 ]; then
  echo "expected exit code 4, rolled back; got $code"
  exit 1
fi
request "$url" x-hello again

step 'what runs where'
attache get plugins
attache get nodes
printf '\nstory told: curl -i http://127.0.0.1:10000/\n'
