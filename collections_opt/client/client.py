"""The services of the contract over one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from collections_opt.api.v1.capacity_service_pb2_grpc import CapacityServiceStub
from collections_opt.api.v1.event_service_pb2_grpc import EventServiceStub
from collections_opt.api.v1.experiment_service_pb2_grpc import ExperimentServiceStub
from collections_opt.api.v1.model_service_pb2_grpc import ModelServiceStub
from collections_opt.api.v1.monitor_service_pb2_grpc import MonitorServiceStub
from collections_opt.api.v1.pack_service_pb2_grpc import PackServiceStub
from collections_opt.api.v1.parameters_service_pb2_grpc import ParametersServiceStub
from collections_opt.api.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from collections_opt.api.v1.ranking_service_pb2_grpc import RankingServiceStub
from collections_opt.api.v1.retention_service_pb2_grpc import RetentionServiceStub
from collections_opt.api.v1.rule_service_pb2_grpc import RuleServiceStub
from collections_opt.api.v1.schema_service_pb2_grpc import SchemaServiceStub
from collections_opt.api.v1.scoring_service_pb2_grpc import ScoringServiceStub
from collections_opt.api.v1.worklist_service_pb2_grpc import WorklistServiceStub
from collections_opt.client.connection import Connection


class Client:
    """A stub per service. Every call has a deadline (``timeout=`` sets another), is repeated by grpc where that is safe, and
    raises ``CollectionsError`` with the server's reason and the fields at fault.

    Whole jobs over several calls are functions beside this class: ``client.portfolios``, ``client.rankings``,
    ``client.comparison``.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.schema = SchemaServiceStub(channel)
        self.scoring = ScoringServiceStub(channel)
        self.portfolios = PortfolioServiceStub(channel)
        self.capacity = CapacityServiceStub(channel)
        self.rankings = RankingServiceStub(channel)
        self.models = ModelServiceStub(channel)
        self.parameters = ParametersServiceStub(channel)
        self.rules = RuleServiceStub(channel)
        self.events = EventServiceStub(channel)
        self.experiments = ExperimentServiceStub(channel)
        self.worklists = WorklistServiceStub(channel)
        self.retention = RetentionServiceStub(channel)
        self.monitors = MonitorServiceStub(channel)
        self.packs = PackServiceStub(channel)


@contextmanager
def connect(connection: Connection) -> Iterator[Client]:
    """Open a connection for the time of a block; nothing is sent before the first call.

    Raises:
        CollectionsError: as ``Connection.channel``.
    """
    channel = connection.channel()
    try:
        yield Client(channel)
    finally:
        channel.close()
