"""Answers hold what their mask names and nothing else; wrong paths are all named before any work."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask

from collections_opt.api.v1 import ranking_service_pb2 as pb
from tests.support.serving.calls import WAIT, fields_of, refused


def test_a_ranking_is_cut_to_what_is_asked_for(client, ranking):
    asked = pb.GetRankingRequest(ranking_id=ranking.ranking_id)
    whole = client.rankings.GetRanking(asked, timeout=WAIT).ranking
    asked.read_mask.paths.extend(["quality.gap", "queues.queue_id", "counts", "counts.assigned_count"])
    cut = client.rankings.GetRanking(asked, timeout=WAIT).ranking
    assert {field.name for field, _ in cut.ListFields()} == {"quality", "queues", "counts"}
    assert cut.quality == type(cut.quality)(gap=whole.quality.gap)
    assert [queue.queue_id for queue in cut.queues] == [queue.queue_id for queue in whole.queues]
    assert [len(queue.ListFields()) for queue in cut.queues] == [1] * len(whole.queues)
    assert cut.counts == whole.counts
    asked.read_mask.paths.append("*")
    assert client.rankings.GetRanking(asked, timeout=WAIT).ranking == whole


def test_every_row_of_a_list_is_cut(client, ranking):
    asked = pb.ListWorklistRequest(ranking_id=ranking.ranking_id, queue_id=ranking.queues[0].queue_id)
    whole = client.rankings.ListWorklist(asked, timeout=WAIT)
    asked.read_mask.paths.append("account_id")
    cut = client.rankings.ListWorklist(asked, timeout=WAIT)
    assert [entry.account_id for entry in cut.entries] == [entry.account_id for entry in whole.entries]
    assert not any(entry.priority or entry.increment_minor_units for entry in cut.entries)
    assert cut.currency_code == whole.currency_code
    assert cut.ByteSize() < whole.ByteSize()


def test_a_watch_is_cut_in_each_of_its_answers(client, ranking):
    asked = pb.WatchRankingRequest(ranking_id=ranking.ranking_id, read_mask=FieldMask(paths=["state"]))
    for answer in client.rankings.WatchRanking(asked, timeout=WAIT):
        assert [field.name for field, _ in answer.ranking.ListFields()] == ["state"]


def test_every_wrong_path_is_named(client, ranking):
    asked = pb.GetRankingRequest(ranking_id=ranking.ranking_id)
    asked.read_mask.paths.extend(["quality", "nothing", "quality.nothing", "ranking_id.x", ""])
    told = fields_of(refused(client.rankings.GetRanking, asked))
    assert told == {f"read_mask.paths[{index}]" for index in (1, 2, 3, 4)}
