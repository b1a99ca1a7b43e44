#!/bin/sh
# Made tests/data/board-1: a board with a little of everything, as format version 1 writes it. Every later
# version must read it (tests/shell/kept_board_test.cpp); it is not made anew.
# usage: make_board.sh BIDBOARD FOLDER
set -eu
bidboard=$1
work=$(mktemp -d)
cd "$work"
"$bidboard" init --strategy auction >/dev/null
cat >bidboard.yaml <<'END'
strategy: auction
mechanism: optimal
agents:
  - {name: runner, allow_run: true, skills: {shell: 1}}
  - {name: dear, allow_run: true, cost: "size * 9"}
END
"$bidboard" post "prints a lot" --run "seq 1 400" --kind list --key once
"$bidboard" post "needs it" --need t1 --run "wc -l < /dev/null" --skill "shell>=0.5" --body "a body"
"$bidboard" post "fails" --run "exit 3" --attempts 1
"$bidboard" post "is skipped" --need t3
"$bidboard" post "whatever happens" --need t3:any --run "echo yes" --priority 5
"$bidboard" up --detach >/dev/null
while [ "$("$bidboard" query "SELECT count(*) FROM tasks WHERE state IN ('done', 'failed', 'skipped')" --csv | tail -n 1 | tr -d '\r')" != 5 ]; do sleep 0.1; done
"$bidboard" down >/dev/null
"$bidboard" post "claimed by hand"
"$bidboard" claim t6 --as alice
"$bidboard" fail t6 --as alice --reason "no time"
"$bidboard" compact
"$bidboard" claim t6 --as bob
"$bidboard" done t6 --as bob --result '{"stars": 42}'
"$bidboard" done t6 --as bob --epoch 1 --result late || true
"$bidboard" post "open"
"$bidboard" backup "$work/copy" >/dev/null
mkdir -p "$2"
cp "$work/copy/.bidboard/data.mdb" "$2/data.mdb"
rm -rf "$work"
