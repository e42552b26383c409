"""Files are written whole or not at all, and a lock has one holder."""

import os
import subprocess
import sys

import pytest

from index import files
from index.errors import BusyError, InputError


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, durable):
    out = tmp_path / "a.txt"
    out.write_text("before", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), files.written_whole(out, durable=durable) as file:
        file.write("after")
        raise KeyboardInterrupt
    assert out.read_text(encoding="utf-8") == "before"
    for place in (tmp_path / "none" / "a.txt", out / "a.txt", tmp_path):
        with pytest.raises(InputError) as error, files.written_whole(place, durable=durable):
            pass
        assert str(error.value).startswith(f"{place} cannot be written: ")
        assert ".part" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    with files.written_whole(out, durable=durable) as file:
        file.write("after")
    assert out.read_text(encoding="utf-8") == "after"


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path):
    path = tmp_path / ".lock"
    script = (
        "import sys, time, pathlib\nfrom index.files import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'is busy'):\n"
        "    print(flush=True)\n    time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    with holder, holder.stdout:
        holder.stdout.readline()
        for _ in range(2):
            with pytest.raises(
                BusyError, match=rf"^Another process \(number {holder.pid}\) is busy"
            ):
                with files.locked(path, "is busy"):
                    pass
        holder.kill()
    with files.locked(path, "is busy"):
        assert path.read_text(encoding="utf-8") == str(os.getpid())
        with pytest.raises(BusyError, match=str(os.getpid())), files.locked(path, "is busy"):
            pass
