"""Lists the tree's files and says which language each is in."""

import subprocess
import sys

from common import TREE, answer, language_of


def paths():
    """What git knows, with what is new and not ignored; without git, all files that are not hidden."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=TREE, capture_output=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(TREE)) for path in TREE.rglob("*")]
        names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    return sorted(name for name in set(names) if (TREE / name).is_file() and not (TREE / name).is_symlink())


files = [{"path": path, "language": language_of(TREE / path)} for path in paths()]
if not files:
    sys.exit(f"there are no files in {TREE}")
answer({"tree": str(TREE), "files": files})
