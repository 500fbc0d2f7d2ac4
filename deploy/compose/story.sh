#!/bin/sh
# What a person would type. Ends with 0 when every step came true; the other containers stay up.
set -eu

envoys='edge-1 edge-2 edge-3'
plugins=/opt/attache/dist/plugins
step() { printf '\n== %s\n' "$*"; }
request() {
  for envoy in $envoys; do node /opt/request.mjs "http://$envoy:10000/" "$@"; done
}

# What docker login would write: pushing takes the token as a password.
login() {
  export DOCKER_CONFIG=/tmp/docker
  mkdir -p "$DOCKER_CONFIG"
  auth=$(printf 'attache:%s' "$(cat "$ATTACHE_TOKEN_FILE")" | base64 -w 0)
  (umask 077 && printf '{"auths":{"control-plane:18002":{"auth":"%s"}}}' "$auth" >"$DOCKER_CONFIG/config.json")
}

plugin() {
  cat <<YAML
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: hello}
spec:
  url: oci://control-plane:18002/$1
  pluginConfig: {value: $2}
  # One Envoy, then all three; watched for seconds, where the presets take minutes.
  rollout: {steps: [{nodes: 1, soak: 5s}, {share: 100%}], bake: 10s}
YAML
}

step 'the control plane answers'
attache whoami
attache delete plugin hello --now >/dev/null 2>&1 || true

step 'the Envoys get a listener'
attache example listener --address 0.0.0.0 --port 10000 --upstream upstream:8080 | attache apply -f -
request x-hello

step 'a plugin goes to the built-in registry, and from there to one Envoy after the other'
login
attache push "$plugins/add-header.wasm" add-header:v1
plugin add-header:v1 world | attache apply --wait -f -
request x-hello world

step 'another configuration'
plugin add-header:v1 again | attache apply --wait -f -
request x-hello again

step 'a module that Envoys refuse: it goes back, and nobody else gets it'
attache push "$plugins/faulty/refuses-config.wasm" refuses-config:v1
code=0
plugin refuses-config:v1 again | attache apply --wait -f - || code=$?
if [ "$code" -ne 4 ]; then
  echo "expected exit code 4, rolled back; got $code"
  exit 1
fi
request x-hello again

step 'what runs where'
attache get plugins
attache get nodes
printf '\nstory told: curl -i http://127.0.0.1:10001/\n'
