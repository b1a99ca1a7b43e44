#!/usr/bin/env python3
"""The shell tool as people and scripts use it: every strategy, live bids, the recipe for a coding agent, tokens, JSON, and the mistakes
that newcomers make, with their exit codes.

usage: shell_test.py BIDBOARD
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIDBOARD = Path(sys.argv[1]).resolve()
TRACES = ROOT.parent / "shared/data/wfinstances"
PATIENCE_S = 90


class BoardTest(unittest.TestCase):
    """Each test has a board, sockets and processes of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bb-")
        self.home = Path(self.folder.name)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("BIDBOARD_")}
        self.environment.update(XDG_RUNTIME_DIR=self.folder.name, HOME=self.folder.name)
        self.processes = []
        self.ok("init")

    def tearDown(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def call(self, *arguments, text=None, extra=None):
        return subprocess.run([BIDBOARD, *arguments], cwd=self.home, env={**self.environment, **(extra or {})}, input=text, capture_output=True,
                              text=True, timeout=PATIENCE_S)

    def ok(self, *arguments, text=None):
        done = self.call(*arguments, text=text)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done.stdout

    def refused(self, code, words, *arguments, text=None, extra=None):
        done = self.call(*arguments, text=text, extra=extra)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertIn(words, done.stderr)

    def rows(self, sql):
        return json.loads(self.ok("query", sql, "--json"))["data"]

    def background(self, *arguments):
        self.processes.append(subprocess.Popen([BIDBOARD, *arguments], cwd=self.home, env=self.environment, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def eventually(self, sql, wanted):
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            rows = [list(row.values()) for row in self.rows(sql)]
            if rows == wanted:
                return
            time.sleep(0.03)
        self.fail(f"{sql}: {rows}, not {wanted}")

    def script(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def agents(self, *lines):
        """A controller, and agents that have registered."""
        self.background("controller")
        for line in lines:
            self.background("agent", *line)
        self.eventually("SELECT count(*) FROM agents WHERE state = 'live'", [[len(lines)]])


class Agents(BoardTest):
    def test_a_live_bid_that_looks_at_its_files_changes_the_winner(self):
        bid = self.script("bid.sh", '#!/bin/sh\nif [ -f "$KNOWN" ]; then echo \'{"seconds": 1}\'; else echo \'{"seconds": 9}\'; fi\n')
        for name in ("left", "right"):
            self.script(f"{name}.sh", f"#!/bin/sh\nKNOWN={self.home}/{name}.known exec {bid}\n")
        self.agents(*(["--name", name, "--exec", f"echo {name}", "--bid", f"{self.home}/{name}.sh"] for name in ("left", "right")))
        for turn, name in enumerate(("right", "left"), 1):
            known = self.home / f"{name}.known"
            known.touch()
            self.ok("post", f"turn {turn}", "--kind", f"kind{turn}")
            self.eventually(f"SELECT result FROM tasks WHERE id = 't{turn}'", [[name]])
            self.assertEqual(len(self.rows(f"SELECT * FROM bids WHERE task = 't{turn}' AND refused = 0")), 2)
            known.unlink()

    def test_a_formula_decides(self):
        self.agents(["--name", "dear", "--exec", "echo dear", "--cost", "size * 3"], ["--name", "cheap", "--exec", "echo cheap", "--cost", "size / 2"])
        self.ok("post", "work")
        self.eventually("SELECT result FROM tasks", [["cheap"]])

    def test_the_recipe_for_a_coding_agent(self):
        self.script("claude", "#!/bin/sh\ncat > /dev/null\nprintf '{\"result\": \"fixed\", \"total_cost_usd\": 0.25, \"usage\": {\"output_tokens\": 321}}'\n")
        self.environment["PATH"] = f"{self.home}:{self.environment['PATH']}"
        self.agents(["--name", "claude", "--exec", "claude -p --output-format json", "--price-field", "total_cost_usd", "--tokens-field",
                     "usage.output_tokens", "--result-field", "result"])
        self.ok("post", "Fix it", "--body", "the login")
        self.eventually("SELECT state FROM tasks", [["done"]])
        task = json.loads(self.ok("show", "t1", "--json"))["data"]
        self.assertEqual((task["result"], task["price"], task["tokens"]), ("fixed", 0.25, 321))

    def test_the_agent_in_python_works_over_json_lines(self):
        self.agents(["--name", "py", "--coprocess", f"{sys.executable} {ROOT}/examples/python_agent.py"])
        self.ok("post", "Count", "--body", "one two three")
        self.eventually("SELECT state, holder FROM tasks", [["done", "a1"]])
        self.assertIn("3", self.ok("show", "t1"))

    def test_a_task_speaks_for_itself_and_for_nobody_else(self):
        own = self.script("own.sh", "#!/bin/sh\nbidboard progress 0.5 half || exit 9\nbidboard done t2 --as other; echo as=$?\n"
                                    "bidboard cancel t2; echo cancel=$?\nbidboard done t2; echo foreign=$?\n")
        self.ok("post", "mine", "--run", own)
        self.ok("post", "not mine", "--skill", "magic")
        self.agents(["--name", "runner", "--allow-run"])
        self.eventually("SELECT result FROM tasks WHERE id = 't1'", [["as=4\ncancel=4\nforeign=4"]])
        self.assertEqual(self.rows("SELECT count(*) AS n FROM log WHERE kind = 'task_progressed'"), [{"n": 1}])
        self.assertGreaterEqual(self.rows("SELECT count(*) AS n FROM log WHERE kind = 'request_refused'")[0]["n"], 2)

    def test_output_is_followed_to_the_end_and_silence_is_reported(self):
        self.ok("post", "slow", "--run", "echo begin; while [ ! -f go ]; do sleep 0.05; done; echo end", "--stall-after", "200ms")
        self.agents(["--name", "runner", "--allow-run"])
        self.eventually("SELECT count(*) FROM log WHERE kind = 'task_stalled'", [[1]])
        follower = subprocess.Popen([BIDBOARD, "output", "t1", "-f"], cwd=self.home, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.assertEqual(follower.stdout.readline(), "begin\n")
        (self.home / "go").touch()
        self.assertEqual(follower.communicate(timeout=PATIENCE_S)[0], "end\n")
        self.assertEqual(follower.returncode, 0)


class Jobs(BoardTest):
    JOB = ("name: small\nagents:\n- {name: w, count: 3, allow_run: true}\ntasks:\n  a: {run: echo 1}\n  b: {run: echo 2, needs: [a]}\n"
           "  c: {run: echo 3, needs: [a]}\n  d: {run: cat $BIDBOARD_NEEDS, needs: [b, c]}\n")

    def test_every_strategy_and_mechanism_finishes_a_job(self):
        job = self.script("job.yaml", self.JOB)
        for strategy in ("auction", "blackboard", "central", "fifo", "random", "single"):
            outcome = json.loads(self.ok("run", job, "--strategy", strategy, "--json"))["data"]
            self.assertEqual((outcome["done"], outcome["not_done"]), (4, []), strategy)
            self.assertEqual(len(outcome["agents"]), 1 if strategy == "single" else len(outcome["agents"]))
        for mechanism in ("first_price", "vickrey", "sequential", "optimal"):
            outcome = json.loads(self.ok("run", job, "--strategy", "auction", "--mechanism", mechanism, "--json"))["data"]
            self.assertEqual(outcome["done"], 4, mechanism)
        self.assertIn("whole", self.ok("doctor", "--deep"))

    def test_a_failed_task_skips_what_needs_it_and_the_job_says_so(self):
        job = self.script("job.yaml", "agents:\n- {name: w, allow_run: true}\ntasks:\n  a: {run: exit 3, attempts: 1}\n  b: {run: echo 2, needs: [a]}\n"
                                      "  c: {run: echo 3, needs: ['a:any']}\n")
        done = self.call("run", job, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([task["state"] for task in json.loads(done.stdout)["data"]["not_done"]], ["failed", "skipped"])

    def test_a_recorded_workflow(self):
        if not TRACES.exists():
            self.skipTest("../shared/data/wfinstances is absent")
        trace = TRACES / "helloworld-forkjoin-10-chameleon.json"
        outcome = json.loads(self.ok("run", str(trace), "--agents", "3", "--scale", "0.001", "--json"))["data"]
        self.assertEqual(outcome["done"], 10)

    def test_mistakes_in_a_job_file_are_told_all_at_once(self):
        job = self.script("job.yaml", "agents:\n- {name: w, allow_run: true, sped: 2}\ntasks:\n  scan: {run: ls}\n  lint: {run: ls, needs: [scna]}\n")
        done = self.call("run", job)
        self.assertEqual(done.returncode, 2)
        for words in ("job.yaml:2:", "did you mean 'speed'?", "job.yaml:5:", "did you mean 'scan'?"):
            self.assertIn(words, done.stderr)


class Mistakes(BoardTest):
    def test_exit_codes(self):
        self.refused(2, "did you mean 'tasks'?", "taks")
        self.refused(2, "--help", "post", "x", "--frob")
        self.refused(2, "is no task", "show", "x9")
        self.refused(2, "duration", "post", "x", "--timeout", "soon")
        self.refused(3, "init", "-C", str(self.home / "nowhere"), "tasks")
        self.refused(3, "no task t99", "show", "t99")
        self.refused(2, "unknown strategy", "init", "--strategy", "fife")
        self.ok("post", "needs magic", "--skill", "magic")
        self.refused(4, "magic", "claim", "t1", "--as", "me")
        self.refused(3, "no ready task", "claim", "--next", "--as", "me")
        self.refused(5, "nobody holds it", "done", "t1", "--as", "me")
        self.refused(6, "no controller", "agent", "--name", "a", "--simulate", "--patience", "100ms")

    def test_a_circle_is_spelled_out(self):
        self.ok("post", "a")
        self.ok("post", "b", "--need", "t1")
        self.refused(2, "t1 needs t2 needs t1", "dep", "t1", "t2")

    def test_an_outdated_epoch_is_refused_and_its_result_kept(self):
        self.ok("post", "a")
        self.assertEqual(self.ok("claim", "t1", "--as", "me"), "1\n")
        self.ok("fail", "t1", "--as", "me", "--reason", "no")
        self.assertEqual(self.ok("claim", "t1", "--as", "you"), "2\n")
        self.refused(5, "epoch 2", "done", "t1", "--as", "me", "--epoch", "1", "--result", "late")
        self.assertEqual(self.rows("SELECT kind, body, epoch FROM discoveries"), [{"kind": "late_result", "body": "late", "epoch": 1}])
        self.ok("done", "t1", "--as", "you", "--epoch", "2", "--result", "{\"n\": 1}")
        self.assertEqual(json.loads(self.ok("show", "t1", "--json"))["data"]["result"], {"n": 1})

    def test_sql_reads_and_nothing_else(self):
        self.ok("post", "a, \"quoted\"")
        self.assertEqual(self.ok("query", "SELECT title FROM tasks", "--csv"), 'title\n"a, ""quoted"""\n')
        self.assertIn("CREATE TABLE tasks", self.ok("query", ".schema"))
        self.assertEqual(self.rows("SELECT count(*) AS n FROM tasks"), [{"n": 1}])
        self.assertEqual(json.loads(self.ok("query", "SELECT count(*) AS n FROM tasks", "--at", "1", "--json"))["data"], [{"n": 0}])
        for hostile in ("DELETE FROM tasks", "ATTACH 'x' AS y", "PRAGMA journal_mode"):
            self.assertIn(self.call("query", hostile).returncode, (2, 4), hostile)
        self.refused(2, "did you mean 'state'?", "query", "SELECT stat FROM tasks")
        self.assertIn("t1", self.ok("tasks", "--where", "state = 'ready'"))

    def test_posting_a_key_twice_is_one_task(self):
        first = json.loads(self.ok("post", "a", "--key", "k", "--json"))
        second = json.loads(self.ok("post", "a", "--key", "k", "--json"))
        self.assertEqual((first["id"], first["existed"], second["id"], second["existed"]), ("t1", False, "t1", True))

    def test_json_has_its_envelope_and_help_has_examples(self):
        self.ok("post", "a")
        for command in (["tasks"], ["ready"], ["agents"], ["show", "t1"], ["status"], ["bids", "t1"], ["explain", "t1"], ["doctor"]):
            self.assertEqual(json.loads(self.ok(*command, "--json"))["schema"], "bidboard/1", command)
        for command in ("post", "claim", "agent", "run", "query", "up", "explain"):
            self.assertIn("Examples:", self.ok(command, "--help"))
        subprocess.run(["bash", "-n"], input=self.ok("completion", "bash"), text=True, check=True)

    def test_an_auction_is_solved_offline(self):
        file = self.script("bids.json", '{"tasks": ["t1", "t2"], "agents": [{"id": "a"}, {"id": "b"}], "bids": [{"task": "t1", "agent": "a", "cost": 1},'
                                        '{"task": "t2", "agent": "a", "cost": 2}, {"task": "t1", "agent": "b", "cost": 3}, {"task": "t2", "agent": "b", "cost": 9}]}')
        totals = {m: json.loads(self.ok("auction", "solve", file, "--mechanism", m))["total_cost"] for m in ("optimal", "first_price", "vickrey", "sequential")}
        self.assertEqual((totals["optimal"], totals["first_price"]), (5, 10))
        self.assertIn("certificate", json.loads(self.ok("auction", "solve", file)))


class Boards(BoardTest):
    def test_what_init_chose_is_kept_by_up(self):
        with tempfile.TemporaryDirectory(prefix="bb-") as folder:
            self.ok("-C", folder, "init", "--strategy", "fifo")
            self.ok("-C", folder, "up", "--detach")
            try:
                self.assertEqual(json.loads(self.ok("-C", folder, "status", "--json"))["data"]["strategy"], "fifo")
                self.refused(5, "already", "-C", folder, "controller")
            finally:
                self.ok("-C", folder, "down")

    def test_init_twice_and_a_reader_that_stops_reading_do_no_harm(self):
        self.ok("post", "a")
        self.assertIn("already", self.ok("init"))
        self.assertEqual(self.rows("SELECT count(*) AS n FROM tasks"), [{"n": 1}])
        piped = subprocess.run(["sh", "-c", f"{BIDBOARD} tasks | head -n 1"], cwd=self.home, env=self.environment, capture_output=True, text=True)
        self.assertEqual((piped.returncode, piped.stderr), (0, ""))

    def test_a_backup_of_a_served_board_is_a_board(self):
        self.agents()
        self.ok("post", "a")
        self.ok("backup", "copy")
        self.assertIn("whole", self.ok("-C", "copy", "doctor", "--deep"))
        self.assertIn("t1", self.ok("-C", "copy", "tasks"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
