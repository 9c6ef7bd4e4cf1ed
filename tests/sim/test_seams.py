import pytest
from moto.ssm.models import Document

from natdrain_sim import embedding
from natdrain_sim.calls import Recorder
from natdrain_sim.clock import Clock
from natdrain_sim.embedding import all_seams, embedded
from natdrain_sim.seams import replaced
from support.stub_functions import START


def test_embedding_replaces_every_part_and_restores_moto() -> None:
    with Clock(START) as clock:
        seams = list(all_seams(clock, Recorder(), 0))
        before = [getattr(owner, name, None) for owner, name, _ in seams]
        with embedded(clock, Recorder()):
            during = [getattr(owner, name) for owner, name, _ in seams]
        assert all(new is not old for new, old in zip(during, before, strict=True))
        assert [getattr(owner, name, None) for owner, name, _ in seams] == before


@pytest.mark.parametrize("owner", [Document, embedding])
def test_seam_fails_at_once_when_moto_lacks_its_name(owner: object) -> None:
    with pytest.raises(AttributeError), replaced([(owner, "moved", None)]):
        pass
