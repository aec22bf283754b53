"""The scripted model itself, asked as clients ask it. Needs Node, no client."""

import http.client
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import rig

USAGE = {"input": 1200, "cached": 900, "cacheWrite": 30, "output": 80, "reasoning": 7}
CALL = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["path", "content"],
}
SYSTEM = "Working directory: /repo"


def ask_anthropic(text, tools, stream):
    return "/v1/messages", {
        "model": "m", "stream": stream, "system": SYSTEM, "messages": [{"role": "user", "content": text}],
        "tools": [{"name": "write", "input_schema": CALL}] if tools else [],
    }  # fmt: skip


def ask_chat(text, tools, stream):
    return "/v1/chat/completions", {
        "model": "m", "stream": stream, "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
        "tools": [{"type": "function", "function": {"name": "write", "parameters": CALL}}] if tools else [],
    }  # fmt: skip


def ask_responses(text, tools, stream):
    return "/v1/responses", {
        "model": "m", "stream": stream, "instructions": SYSTEM, "input": text,
        "tools": [{"type": "function", "name": "write", "parameters": CALL}] if tools else [],
    }  # fmt: skip


def ask_gemini(text, tools, stream):
    return f"/v1beta/models/m:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}", {
        "systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": [{"role": "user", "parts": [{"text": text}]}],
        "tools": [{"functionDeclarations": [{"name": "write", "parameters": CALL}]}] if tools else [],
    }  # fmt: skip


PROTOCOLS = {"anthropic": ask_anthropic, "chat": ask_chat, "responses": ask_responses, "gemini": ask_gemini}


def told_usage(protocol, answer):
    """(all input, cached, all output) in one measure."""
    if protocol == "gemini":
        usage = answer["usageMetadata"]
        return (usage["promptTokenCount"], usage["cachedContentTokenCount"],
                usage["candidatesTokenCount"] + usage["thoughtsTokenCount"])  # fmt: skip
    usage = answer["usage"]
    if protocol == "anthropic":
        read = usage["cache_read_input_tokens"]
        return usage["input_tokens"] + read + usage["cache_creation_input_tokens"], read, usage["output_tokens"]
    if protocol == "chat":
        return usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], usage["completion_tokens"]
    return usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"], usage["output_tokens"]


def told_call(protocol, answer):
    """The arguments of the only call, or the text."""
    if protocol == "anthropic":
        block = answer["content"][-1]
        return block["input"] if block["type"] == "tool_use" else block["text"]
    if protocol == "chat":
        message = answer["choices"][0]["message"]
        return json.loads(message["tool_calls"][0]["function"]["arguments"]) if "tool_calls" in message else message["content"]
    if protocol == "responses":
        item = answer["output"][-1]
        return json.loads(item["arguments"]) if item["type"] == "function_call" else item["content"][0]["text"]
    part = answer["candidates"][0]["content"]["parts"][-1]
    return part["functionCall"]["args"] if "functionCall" in part else part["text"]


class TheScriptedModel(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="bernstein-model-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.model = rig.ScriptedModel(self.directory)
        self.model.__enter__()
        self.addCleanup(self.model.__exit__)

    def ask(self, protocol, text, tools=True, stream=False, key="test-key", seconds=10):
        """(HTTP status, document or text)."""
        path, body = PROTOCOLS[protocol](text, tools, stream)
        request = urllib.request.Request(self.model.url + path, json.dumps(body).encode(), {"x-api-key": key})
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        return status, text if stream and status == 200 else json.loads(text)

    def for_each_protocol(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol=protocol):
                yield protocol

    def test_plays_a_script_of_a_file_with_the_clients_own_tool_and_tells_its_usage(self):
        for protocol in self.for_each_protocol():
            self.model.play([{"match": "MARK", "usage": USAGE, "steps": [{"write": {"path": "a.txt", "content": "a\n"}}]}])
            status, answer = self.ask(protocol, "do MARK")
            self.assertEqual(200, status)
            self.assertEqual({"path": "/repo/a.txt", "content": "a\n"}, told_call(protocol, answer))
            self.assertEqual((2130, 900, 87), told_usage(protocol, answer))
            self.assertEqual({("MARK", 0): {"input": 1230, "cached": 900, "output": 87, "requests": 1}}, self.model.usage())

    def test_plays_the_lines_of_a_prompt(self):
        for protocol in self.for_each_protocol():
            _, answer = self.ask(protocol, 'first\n  SCRIPT: write b/c.txt hello\nSCRIPT: say x')
            self.assertEqual({"path": "/repo/b/c.txt", "content": "hello\n"}, told_call(protocol, answer))

    def test_leaves_the_worktree_when_the_script_says_so(self):
        _, answer = self.ask("chat", "SCRIPT: write /elsewhere/c.txt hello")
        self.assertEqual("/elsewhere/c.txt", told_call("chat", answer)["path"])

    def test_gives_each_conversation_its_own_steps(self):
        for protocol in self.for_each_protocol():
            self.model.play([{"match": "PLAN", "plain": True, "attempts": [[{"answer": "no JSON"}], [{"answer": {"tasks": []}}]]}])
            answers = [told_call(protocol, self.ask(protocol, "PLAN this", tools=False)[1]) for _ in range(3)]
            self.assertEqual(["no JSON", '{"tasks":[]}', '{"tasks":[]}'], answers)

    def test_answers_by_the_tool_for_structured_output_where_there_is_one(self):
        self.model.play([{"match": "PLAN", "steps": [{"answer": {"tasks": []}}]}])
        path, body = ask_anthropic("PLAN this", True, False)
        body["tools"] = [{"name": "StructuredOutput", "input_schema": {"type": "object"}}]
        first = self.model.ask(path, body)
        self.assertEqual("tool_use", first["stop_reason"])
        self.assertEqual({"tasks": []}, told_call("anthropic", first))
        result = {"type": "tool_result", "tool_use_id": first["content"][0]["id"]}
        body["messages"] += [{"role": "assistant", "content": first["content"]}, {"role": "user", "content": [result]}]
        self.assertEqual("Done.", told_call("anthropic", self.model.ask(path, body)))

    def test_answers_side_requests_without_touching_the_script(self):
        self.model.play([{"match": "MARK", "steps": [{"say": "the end"}]}])
        for protocol in self.for_each_protocol():
            self.assertEqual("Scripted side answer", told_call(protocol, self.ask(protocol, "a title for MARK", tools=False)[1]))
        self.assertEqual({}, self.model.usage())

    def test_fails_as_the_service_would_and_then_goes_on(self):
        for protocol in self.for_each_protocol():
            statuses = {}
            for kind in ("401", "403", "429", "500", "529", "quota", "overflow"):
                self.model.play([{"match": "MARK", "steps": [{"fail": {"kind": kind, "times": 1, "retryAfter": 3}}]}])
                statuses[kind], answer = self.ask(protocol, "MARK")
                self.assertIn("error", answer)
                self.assertEqual((200, {"input": 1000, "cached": 0, "output": 50, "requests": 1}),
                                 (self.ask(protocol, "MARK")[0], self.model.usage()[("MARK", 0)]))  # fmt: skip
            self.assertEqual({"401": 400 if protocol == "gemini" else 401, "403": 403, "429": 429, "500": 500, "529": 529,
                              "quota": 400 if protocol == "anthropic" else 429, "overflow": 400}, statuses)  # fmt: skip

    def test_streams_break_off_and_servers_fall_silent(self):
        for protocol in self.for_each_protocol():
            self.model.play([{"match": "CUT", "steps": [{"fail": "truncate"}]}, {"match": "HANG", "steps": [{"fail": "hang"}]}])
            with self.assertRaises(http.client.HTTPException):
                self.ask(protocol, "CUT", stream=True)
            with self.assertRaises(TimeoutError):
                self.ask(protocol, "HANG", stream=True, seconds=0.3)

    def test_refuses_with_the_protocols_own_word(self):
        words = {"anthropic": '"refusal"', "chat": '"content_filter"', "responses": '"content_filter"', "gemini": '"SAFETY"'}
        self.model.play([{"match": "MARK", "steps": [{"fail": "refusal"}]}])
        for protocol in self.for_each_protocol():
            self.assertIn(words[protocol], self.ask(protocol, "MARK", stream=True)[1])

    def test_a_bad_key_is_refused_everywhere(self):
        for protocol in self.for_each_protocol():
            self.assertIn(self.ask(protocol, "SCRIPT: say hello", key="bad-key")[0], (400, 401))

    def test_logs_every_request_but_no_key(self):
        self.ask("chat", "SCRIPT: say hello", key="canary")
        self.ask("chat", "nothing to play")
        log = (self.directory / "model" / "requests.jsonl").read_text()
        self.assertEqual(["turn", "unmatched"], [json.loads(line)["kind"] for line in log.splitlines()])
        self.assertNotIn("canary", log)

    def test_documents_itself(self):
        said = subprocess.run(["node", rig.SCRIPTED_MODEL, "--help"], capture_output=True, text=True, timeout=60).stdout
        for word in ("usage:", "SCRIPT: write", "FAULTS", "--port-file", "/_usage"):
            self.assertIn(word, said)


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("SKIPPED: node is not installed")
    else:
        unittest.main()
