package main

import (
	"fmt"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// typeURLs maps the short names of the -types flag.
var typeURLs = map[string]string{
	"cds":  "type.googleapis.com/envoy.config.cluster.v3.Cluster",
	"eds":  "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
	"lds":  "type.googleapis.com/envoy.config.listener.v3.Listener",
	"rds":  "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
	"ecds": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
}

// wildcard says for which types no names are sent, which means "all".
func wildcard(short string) bool { return short == "cds" || short == "lds" }

// protocol holds what all streams' requests have in common. Requests are put together from
// ready-made bytes and responses are only scanned for a few fields: that keeps the client cheap.
type protocol struct {
	delta    bool
	nodeEach bool   // repeat the node in every request
	nodeTail []byte // encoded Node without its id
	prefix   string // node ids are prefix-00001 and so on
	types    []subscription
}

// subscription is one type that every stream asks for.
type subscription struct {
	url   string
	names []string
}

// requestFields are the field numbers in which the two request messages differ.
type requestFields struct{ node, names, url, nonce, problem protowire.Number }

var (
	stateFields = requestFields{node: 2, names: 3, url: 4, nonce: 5, problem: 6}
	deltaFields = requestFields{node: 1, names: 3, url: 2, nonce: 6, problem: 7}
)

// request appends one encoded request to out. version is the last accepted one; an empty nonce
// makes it the first request for its type; problem, if not empty, makes it a NACK.
func (p *protocol) request(out []byte, node int, withNode bool, sub *subscription, version, nonce, problem string) []byte {
	fields := stateFields
	if p.delta {
		fields = deltaFields
	}
	if !p.delta && version != "" {
		out = appendString(out, 1, version)
	}
	if withNode || p.nodeEach {
		id := fmt.Sprintf("%s-%05d", p.prefix, node+1)
		out = protowire.AppendTag(out, fields.node, protowire.BytesType)
		out = protowire.AppendVarint(out, uint64(2+len(id)+len(p.nodeTail))) // id shorter than 128 bytes
		out = appendString(out, 1, id)
		out = append(out, p.nodeTail...)
	}
	// State of the world repeats the names in every request; delta names only changes.
	if !p.delta || nonce == "" {
		for _, name := range sub.names {
			out = appendString(out, fields.names, name)
		}
	}
	out = appendString(out, fields.url, sub.url)
	if nonce != "" {
		out = appendString(out, fields.nonce, nonce)
	}
	if problem != "" {
		status := protowire.AppendTag(nil, 1, protowire.VarintType)
		status = protowire.AppendVarint(status, 3) // INVALID_ARGUMENT
		status = appendString(status, 2, problem)
		out = protowire.AppendTag(out, fields.problem, protowire.BytesType)
		out = protowire.AppendBytes(out, status)
	}
	return out
}

func appendString(out []byte, field protowire.Number, value string) []byte {
	out = protowire.AppendTag(out, field, protowire.BytesType)
	return protowire.AppendString(out, value)
}

// response is what the client needs of a DiscoveryResponse or DeltaDiscoveryResponse. All slices
// point into the message.
type response struct {
	version, url, nonce []byte
	resources           int
	// Delta only: name and version of each resource.
	named []namedVersion
}

type namedVersion struct{ name, version []byte }

// scan reads a response. into.named is reused.
func (p *protocol) scan(message []byte, into *response) error {
	*into = response{named: into.named[:0]}
	return eachField(message, func(field protowire.Number, value []byte) error {
		switch field {
		case 1:
			into.version = value
		case 2:
			into.resources++
			if !p.delta {
				return nil
			}
			var resource namedVersion
			err := eachField(value, func(field protowire.Number, value []byte) error {
				switch field {
				case 1:
					resource.version = value
				case 3:
					resource.name = value
				}
				return nil
			})
			into.named = append(into.named, resource)
			return err
		case 4:
			into.url = value
		case 5:
			into.nonce = value
		}
		return nil
	})
}

// eachField calls visit with every length-delimited field of a message and skips the others.
func eachField(message []byte, visit func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if kind != protowire.BytesType {
			n = protowire.ConsumeFieldValue(field, kind, message)
			if n < 0 {
				return protowire.ParseError(n)
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(field, value); err != nil {
			return err
		}
	}
	return nil
}

// encodeNode encodes everything of a Node but its id. A real Envoy lists several hundred built-in
// extensions here; extensions says how many to make up.
func encodeNode(cluster, metadata string, extensions int) ([]byte, error) {
	node := &core.Node{
		Cluster:       cluster,
		UserAgentName: "envoy",
		UserAgentVersionType: &core.Node_UserAgentBuildVersion{UserAgentBuildVersion: &core.BuildVersion{
			Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40},
		}},
	}
	// What a control plane for Wasm plugins looks for, among the several hundred that a real Envoy lists.
	for _, known := range [][2]string{
		{"envoy.filters.http.wasm", "envoy.filters.http"},
		{"envoy.filters.http.filter_chain", "envoy.filters.http"},
		{"envoy.wasm.runtime.v8", "envoy.wasm.runtime"},
	} {
		node.Extensions = append(node.Extensions, &core.Extension{Name: known[0], Category: known[1]})
	}
	if metadata != "" {
		node.Metadata = &structpb.Struct{}
		if err := protojson.Unmarshal([]byte(metadata), node.Metadata); err != nil {
			return nil, fmt.Errorf("-metadata: %w", err)
		}
	}
	for i := range extensions {
		node.Extensions = append(node.Extensions, &core.Extension{
			Name:     fmt.Sprintf("sample.filters.http.extension_%03d", i),
			Category: "sample.filters.http",
			TypeUrls: []string{fmt.Sprintf("sample.extensions.filters.http.extension_%03d.v3.Config", i)},
		})
	}
	return proto.Marshal(node)
}

// parseTypes reads the -types and -names flags. The last type is the one that is measured.
func parseTypes(types, names string) ([]subscription, error) {
	var out []subscription
	for _, short := range strings.Split(types, ",") {
		url, known := typeURLs[short]
		if !known {
			return nil, fmt.Errorf("-types: %q is not one of cds, eds, lds, rds, ecds", short)
		}
		sub := subscription{url: url}
		if !wildcard(short) {
			sub.names = strings.Split(names, ",")
		}
		out = append(out, sub)
	}
	return out, nil
}
