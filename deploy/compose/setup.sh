#!/bin/sh
# Once: a CA, and what the control plane and each Envoy need of it. Each gets its own volume, so that none can be another.
set -eu
umask 077
ca=/out/ca/pki

[ -f "$ca/ca.pem" ] || attache pki init "$ca" >/dev/null

# copy FROM TO OWNER: whole or not at all, readable by its owner alone.
copy() {
  cp "$1" "$2.new"
  chown "$3" "$2.new"
  mv "$2.new" "$2"
}

if [ ! -f /out/control-plane/server.pem ]; then
  [ -f "$ca/server.pem" ] || attache pki issue "$ca" --server control-plane --server localhost --server 127.0.0.1 >/dev/null
  copy "$ca/ca.pem" /out/control-plane/ca.pem 1000:1000
  copy "$ca/server-key.pem" /out/control-plane/server-key.pem 1000:1000
  copy "$ca/server.pem" /out/control-plane/server.pem 1000:1000
  chown 1000:1000 /out/control-plane
fi

for node in edge-1 edge-2 edge-3; do
  out=/out/$node
  if [ -f "$out/envoy.yaml" ]; then continue; fi
  [ -f "$ca/$node.pem" ] || attache pki issue "$ca" --node "$node" >/dev/null
  copy "$ca/ca.pem" "$out/ca.pem" 101:101
  copy "$ca/$node.pem" "$out/node.pem" 101:101
  copy "$ca/$node-key.pem" "$out/node-key.pem" 101:101
  attache bootstrap --id "$node" --layout chain \
    --xds-address control-plane:18000 --modules-address control-plane:18001 \
    --tls-ca /etc/attache/ca.pem --tls-cert /etc/attache/node.pem --tls-key /etc/attache/node-key.pem >"$ca/$node.yaml"
  copy "$ca/$node.yaml" "$out/envoy.yaml" 101:101
  chown 101:101 "$out"
done
echo 'certificates and bootstraps are there'
