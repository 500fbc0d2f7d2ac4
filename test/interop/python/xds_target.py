"""A proxyless gRPC client: gRPC's C core is its own xDS client and finds the servers of a target by itself. It asks for the
health of the target until that is SERVING, and prints it.

    GRPC_XDS_BOOTSTRAP=bootstrap.json python3 xds_target.py xds:///TARGET
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=30, wait_for_ready=True)
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
