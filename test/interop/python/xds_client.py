"""A client of the xDS port on gRPC's C core and Google's protobuf: it knows no Envoy types, the server's reflection tells
them. Each line of the input is a command in JSON, each line of the output its answer.

    python3 xds_client.py HOST:PORT
"""

import json
import queue
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

ADS = "envoy.service.discovery.v3.AggregatedDiscoveryService"
DISCOVERY = "envoy.service.discovery.v3"
CSDS = "envoy.service.status.v3.ClientStatusDiscoveryService"
STATUS = "envoy.service.status.v3"

address = sys.argv[1]
channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
database = ProtoReflectionDescriptorDatabase(channel)
pool = descriptor_pool.DescriptorPool(database)


def message(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


class Stream:
    """One stream for all types, in either form of the protocol."""

    def __init__(self, form):
        prefix = "Delta" if form == "delta" else ""
        self.request = message(f"{DISCOVERY}.{prefix}DiscoveryRequest")
        method = "DeltaAggregatedResources" if form == "delta" else "StreamAggregatedResources"
        call = channel.stream_stream(
            f"/{ADS}/{method}",
            request_serializer=self.request.SerializeToString,
            response_deserializer=message(f"{DISCOVERY}.{prefix}DiscoveryResponse").FromString,
        )
        self.sent = queue.SimpleQueue()
        self.responses = call(iter(self.sent.get, None), timeout=60)

    def send(self, request):
        self.sent.put(json_format.ParseDict(request, self.request()))

    def next(self):
        response = next(self.responses)
        anys = [getattr(resource, "resource", resource) for resource in response.resources]
        return {
            "type_url": response.type_url,
            "nonce": response.nonce,
            "version_info": getattr(response, "version_info", ""),
            "removed": list(getattr(response, "removed_resources", [])),
            # Field 1 of every type that is served is its name.
            "names": sorted(first_text(any.value) for any in anys),
            "all_of_type": all(any.type_url == response.type_url for any in anys),
        }

    def end(self):
        self.sent.put(None)
        try:
            for _ in self.responses:
                pass
        except grpc.RpcError:
            pass
        return {"code": self.responses.code().name, "details": self.responses.details()}


def first_text(value):
    length, at, shift = 0, 1, 0
    while True:
        length |= (value[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if value[at - 1] < 0x80:
            return value[at : at + length].decode()


streams = {}


def run(command):
    what = command["do"]
    if what == "services":
        return sorted(database.get_services())
    if what == "health":
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(service=command.get("service", "")), timeout=20)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    if what == "csds":
        request = message(f"{STATUS}.ClientStatusRequest")
        fetch = channel.unary_unary(
            f"/{CSDS}/FetchClientStatus",
            request_serializer=request.SerializeToString,
            response_deserializer=message(f"{STATUS}.ClientStatusResponse").FromString,
        )
        answer = fetch(json_format.ParseDict(command["request"], request()), timeout=20)
        return [
            {
                "node": config.node.id,
                "resources": sorted(
                    f"{it.name} {type(it).DESCRIPTOR.fields_by_name['config_status'].enum_type.values_by_number[it.config_status].name}"
                    for it in config.generic_xds_configs
                ),
            }
            for config in answer.config
        ]
    if what == "open":
        streams[command["as"]] = Stream(command["form"])
        return "open"
    stream = streams[command["as"]]
    if what == "send":
        stream.send(command["request"])
        return "sent"
    return stream.next() if what == "next" else stream.end()


for line in sys.stdin:
    try:
        answer = {"answer": run(json.loads(line))}
    except grpc.RpcError as error:
        answer = {"error": f"{error.code().name}: {error.details()}"}
    except Exception as error:  # pylint: disable=broad-except
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
