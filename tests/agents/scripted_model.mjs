#!/usr/bin/env node
// scripted_model.mjs: a model server that plays a script instead of thinking.
//
// With it real CLI coding agents (Claude Code, Codex, Gemini CLI, opencode, Qwen Code, Copilot, pi, Cline, Droid, Continue) run
// from end to end on loopback, without a provider and without a key: the client starts for real, calls its own tools because
// the "model" asks it to, and reports the usage that it was told. No dependencies; Node 18 or newer.
//
// usage: node scripted_model.mjs [--scenarios FILE.json] [--port 0] [--port-file FILE] [--host 127.0.0.1]
//                                [--log FILE.jsonl] [--dump-dir DIR]
//   --port 0 (the default) takes a free port; it is printed ("listening on http://...") and written to --port-file.
//   --log appends a JSON line for each request. --dump-dir stores the bodies of requests, for debugging.
//
//   node scripted_model.mjs --scenarios scripts.json --port-file port --log requests.jsonl &
//
// PROTOCOLS  with and without the /v1 or /v1beta before them, streaming or not
//   Anthropic  POST /v1/messages, /v1/messages/count_tokens
//   OpenAI     POST /v1/responses, /v1/chat/completions; GET /v1/models
//   Gemini     POST /v1beta/models/<m>:generateContent | :streamGenerateContent | :countTokens
//
// SCRIPTS  in one of two places, with the same steps
//   1. In the prompt, one step a line:
//        SCRIPT: write src/hello.txt hello world      a file and its only line ("..." = a JSON string, exactly)
//        SCRIPT: run make                             a shell command
//        SCRIPT: read README.md
//        SCRIPT: tool <name> {"json":"args"}          any tool of the client, verbatim
//        SCRIPT: say All done.                        text; before a call it goes with the call
//        SCRIPT: answer {"tasks":[]}                  the final answer, also where the client asks for structured output
//        SCRIPT: usage input=1200 output=80 cached=900 cache-write=0 reasoning=0     of each request from here on
//        SCRIPT: delay 500                            milliseconds before each later answer
//        SCRIPT: fail 429 times=2 retry-after=1       a fault before the next step, see FAULTS
//        SCRIPT: plain                                play it for requests without tools too
//   2. In a file: {"scenarios":[{"match":"TASK-7","steps":[...],"usage":{...},"plain":false}]}
//      "match" is a part of a user's message, or "/regex/flags"; the first that matches is played. A prompt with SCRIPT: lines
//      needs no entry. Steps are objects:
//        {"write":{"path":"a.txt","content":"x\n"}} {"run":"make"} {"read":"a.txt"} {"say":"done"} {"answer":{...}}
//        {"tool":{"name":"Edit","args":{...}}} {"delay":500} {"usage":{"input":10,"output":5}}
//        {"fail":{"kind":"429","times":2,"retryAfter":1,"message":"...","headers":{}}}
//      "attempts":[[steps],[steps]] instead of "steps": the first conversation with this script gets the first list, the second
//      the second, and so on; the last is repeated. So a first answer can be wrong and the next one right.
//   One call a turn, in order; then a final text ("Done." unless the last step says another). Paths are made absolute with the
//   working directory that the client's own prompt names; an absolute or ../ path is passed on as it is, so that a client can
//   be made to leave its worktree. The place in the script is read from the conversation (calls since the prompt): one server
//   serves many clients at once, and a resumed session goes on where it was.
//   A request without tools (a title, a summary, routing) gets a short text, or the smallest instance of the JSON schema that
//   it asks for, unless its script is "plain". A prompt without a script is answered "No script for this prompt.".
//
// FAULTS  kinds of "fail"; times=N requests, else every request
//   400 401 402 403 404 413 429 500 502 503 504 529   the protocol's own error body; retry-after=SECONDS
//   overflow    400, the prompt is too long             quota       no credit left, or the day's quota is used up
//   hang        accepts the request, never answers      hang-mid    ... after the first bytes
//   reset       closes the socket without an answer     truncate    ends the stream half way
//   garbage     200 with a body that is neither JSON nor events          sse-error   200, then an error event
//   max-tokens  text with stop reason max_tokens / length / MAX_TOKENS
//   refusal     text with stop reason refusal / content_filter / SAFETY
//   bad-tool    calls a tool that does not exist        bad-args    calls one with arguments that it cannot read
//   A key that starts with "bad" is answered 401 (Gemini: 400 API_KEY_INVALID) everywhere.
//
// CONTROL  GET /_health, /_requests, /_usage; POST /_reset, /_scenarios (JSON)
//   /_usage: what was truly sent, summed by script, attempt (0, 1, ...: which conversation), model and kind; kind "turn" is the
//   script's own, "auxiliary" a side request of the client.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';

import { errorAnswer, streamError } from './model/errors.mjs';
import { readers } from './model/readers.mjs';
import { DEFAULT_USAGE, compileTurns, findScript } from './model/script.mjs';
import { findCwd, instance, planCall, structuredTool } from './model/tools.mjs';
import { writers } from './model/writers.mjs';

const ROUTES = [
  [/\/messages\/count_tokens$/, 'count'],
  [/\/messages$/, 'anthropic'],
  [/\/responses\/input_tokens$/, 'count'],
  [/\/responses$/, 'responses'],
  [/\/chat\/completions$/, 'chat'],
  [/\/models\/[^/]+:(?:streamGenerateContent|generateContent)$/, 'gemini'],
  [/\/models\/[^/]+:countTokens$/, 'count'],
  [/\/models(?:\/[^/:]+)?$/, 'models'],
];
const MODEL_IDS = [
  'scripted-model',
  'claude-opus-4-5',
  'claude-sonnet-4-5',
  'claude-haiku-4-5',
  'gpt-5.5',
  'gpt-5.4',
  'gpt-5.4-mini',
  'gemini-2.5-pro',
  'gemini-2.5-flash',
  'qwen3-coder-plus',
  'qwen3-coder-flash',
];

/** The server, not yet listening. {scenarios, log, dumpDir} are all optional. */
export function createServer(options = {}) {
  const state = { scenarios: [], faults: new Map(), attempts: new Map(), log: [], usage: new Map(), serial: 0 };

  function load(document) {
    const list = Array.isArray(document) ? document : document.scenarios;
    state.scenarios = list.map((scenario, i) => ({ id: scenario.match ?? `scenario-${i}`, ...scenario }));
  }

  function reset() {
    for (const map of [state.faults, state.attempts, state.usage]) map.clear();
    state.log.length = 0;
  }

  function record(entry) {
    const line = { n: ++state.serial, time: new Date().toISOString(), ...entry };
    state.log.push(line);
    if (options.log) fs.appendFileSync(options.log, `${JSON.stringify(line)}\n`);
  }

  function count(entry, usage) {
    const { script = null, attempt = null, model, kind } = entry;
    const key = JSON.stringify([script, attempt, model, kind]);
    const total = state.usage.get(key) ?? {
      script,
      attempt,
      model,
      kind,
      requests: 0,
      input: 0,
      output: 0,
      cached: 0,
      cacheWrite: 0,
      reasoning: 0,
    };
    total.requests++;
    for (const name of Object.keys(DEFAULT_USAGE)) total[name] += usage[name];
    state.usage.set(key, total);
  }

  async function handle(req, res) {
    const url = new URL(req.url, 'http://loopback');
    const raw = await readBody(req);
    if (url.pathname.startsWith('/_')) return control(url.pathname, req.method, raw, res);

    const protocol = ROUTES.find(([pattern]) => pattern.test(url.pathname))?.[1];
    if (options.dumpDir) {
      const name = `${String(state.serial + 1).padStart(5, '0')}-${protocol ?? 'other'}.json`;
      fs.writeFileSync(path.join(options.dumpDir, name), raw);
    }
    if (!protocol || (req.method !== 'POST' && protocol !== 'models')) {
      record({ kind: 'other', method: req.method, path: url.pathname });
      const isProbe = req.method === 'HEAD' || url.pathname === '/';
      return send(res, isProbe ? 200 : 404, { error: { message: 'not played by the scripted model' } });
    }
    if (protocol === 'models') {
      record({ kind: 'models', path: url.pathname });
      return send(res, 200, modelList());
    }
    if (protocol === 'count') {
      const tokens = Math.ceil(raw.length / 4);
      record({ kind: 'count', path: url.pathname });
      return send(res, 200, { input_tokens: tokens, totalTokens: tokens });
    }
    return answer(protocol, readers[protocol](JSON.parse(raw || '{}'), url), req, res, url);
  }

  async function answer(protocol, conversation, req, res, url) {
    const entry = {
      protocol,
      path: url.pathname,
      model: conversation.model,
      stream: conversation.stream,
      agent: req.headers['user-agent'],
      tools: conversation.tools.map((tool) => tool.name),
      messages: conversation.messages.length,
    };
    const lastResult = conversation.messages.at(-1)?.results.at(-1);
    if (lastResult) entry.lastResult = { error: lastResult.error, text: lastResult.text.slice(0, 300) };

    if (/^bad/.test(apiKey(req, url))) {
      record({ ...entry, kind: 'fault', fault: 'bad-key' });
      return sendError(res, errorAnswer(protocol, { kind: '401' }));
    }

    const { reply, fault, delay } = think(conversation, entry);
    if (delay) await new Promise((done) => setTimeout(done, delay));
    if (fault) {
      record({ ...entry, kind: 'fault', fault: fault.kind });
      if (playFault(fault, protocol, conversation, reply, req, res)) return undefined;
    } else {
      record({ ...entry, usage: reply.usage });
    }
    count(entry, reply.usage);
    const written = writers[protocol](reply, conversation);
    return conversation.stream ? stream(res, protocol, written.events, url) : send(res, 200, written.json);
  }

  /** What the model does next; what there is to log about it goes into the entry. */
  function think(conversation, entry) {
    const found = findScript(state.scenarios, conversation);
    const reply = { id: `scripted-${state.serial + 1}`, text: undefined, calls: [], stop: 'normal', usage: { ...DEFAULT_USAGE } };
    if (found) Object.assign(entry, { script: found.script.id, attempt: attemptOf(found) });
    if (!conversation.tools.length && !found?.script.plain) {
      entry.kind = 'auxiliary';
      reply.text = conversation.jsonSchema ? JSON.stringify(instance(conversation.jsonSchema)) : 'Scripted side answer';
      Object.assign(reply.usage, { input: 10, output: 5 }, found?.script.auxiliaryUsage);
      return { reply };
    }
    if (!found) {
      entry.kind = 'unmatched';
      reply.text = 'No script for this prompt.';
      return { reply };
    }

    const { script } = found;
    const { attempt } = entry;
    const lists = script.attempts ?? [script.steps ?? []];
    const turns = compileTurns(lists[Math.min(attempt, lists.length - 1)]);
    const index = Math.min(found.turn, turns.length - 1);
    const turn = turns[index];
    Object.assign(entry, { kind: 'turn', turn: index, of: turns.length });
    const fault = nextFault(`${script.id}#${script.attempts ? attempt : 0}#${index}`, turn.faults);
    Object.assign(reply, { text: turn.text, usage: { ...DEFAULT_USAGE, ...script.usage, ...turn.usage } });
    const id = `call_a${attempt}_${state.serial + 1}_${index}`;
    if (turn.call) {
      const call = planCall(turn.call, conversation.tools, findCwd(conversation));
      if (call) {
        reply.calls.push({ id, ...call });
        entry.call = { tool: call.tool.name, args: call.args };
      } else {
        entry.kind = 'no-tool';
        reply.text = `The script wants ${JSON.stringify(turn.call)}, but this client offers no tool for it.`;
      }
    } else if (turn.answer !== undefined) {
      // A client that wants structured output by a tool is given it by a call, once.
      const call = structuredTool(turn.answer, conversation.tools);
      if (call && found.calls.some((known) => known.name === call.tool.name)) reply.text = 'Done.';
      else if (call) Object.assign(reply, { text: undefined, calls: [{ id, ...call }] });
    }
    if (!fault && found.turn === 0) state.attempts.set(script.id, attempt + 1);
    return { reply, fault, delay: turn.delay };
  }

  /** 0 for the first conversation that plays a script; later turns read it from the ids of their calls. */
  function attemptOf({ script, turn, calls }) {
    const known = calls.map((call) => /call_a(\d+)_/.exec(call.id ?? '')).find(Boolean);
    if (known) return Number(known[1]);
    const started = state.attempts.get(script.id) ?? 0;
    return turn === 0 ? started : Math.max(0, started - 1);
  }

  function nextFault(key, faults) {
    for (const [i, fault] of faults.entries()) {
      const used = state.faults.get(`${key}#${i}`) ?? 0;
      if (used >= (fault.times ?? Infinity)) continue;
      state.faults.set(`${key}#${i}`, used + 1);
      return { ...fault, kind: String(fault.kind ?? fault.status) };
    }
    return undefined;
  }

  function control(pathname, method, raw, res) {
    if (pathname === '/_health') return send(res, 200, { ok: true, requests: state.serial });
    if (pathname === '/_requests') return send(res, 200, state.log);
    if (pathname === '/_usage') return send(res, 200, [...state.usage.values()]);
    if (pathname === '/_reset' && method === 'POST') {
      reset();
      return send(res, 200, { ok: true });
    }
    if (pathname === '/_scenarios' && method === 'POST') {
      load(JSON.parse(raw));
      return send(res, 200, { ok: true, scenarios: state.scenarios.length });
    }
    return send(res, 404, { error: 'unknown control path' });
  }

  if (options.scenarios) load(options.scenarios);
  const server = http.createServer((req, res) => {
    handle(req, res).catch((error) => {
      record({ kind: 'server-error', path: req.url, error: String(error?.stack ?? error) });
      if (!res.headersSent) res.writeHead(500, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: { message: String(error), type: 'fault_of_the_scripted_model' } }));
    });
  });
  server.keepAliveTimeout = 5000;
  return server;
}

/** Plays a fault; false where it only changes the reply and the ordinary answer follows. */
function playFault(fault, protocol, conversation, reply, req, res) {
  const head = () => res.writeHead(200, { 'content-type': conversation.stream ? 'text/event-stream' : 'application/json' });
  switch (fault.kind) {
    case 'hang':
      return true;
    case 'reset':
      req.socket.destroy();
      return true;
    case 'garbage':
      head();
      res.end('<html>this is not the API</html>\n\n');
      return true;
    case 'hang-mid':
    case 'truncate': {
      const written = writers[protocol](reply, conversation);
      const bytes = conversation.stream ? written.events.map(sse).join('') : JSON.stringify(written.json);
      head();
      res.write(bytes.slice(0, Math.floor(bytes.length / 2)), () => {
        if (fault.kind === 'truncate') req.socket.destroy();
      });
      return true;
    }
    case 'sse-error':
      if (!conversation.stream) {
        sendError(res, errorAnswer(protocol, { ...fault, kind: '503' }));
        return true;
      }
      head();
      res.end(sse(writers[protocol](reply, conversation).events[0]) + sse(streamError(protocol)));
      return true;
    case 'max-tokens':
      Object.assign(reply, { stop: 'max', calls: [], text: reply.text ?? 'Cut off' });
      return false;
    case 'refusal':
      Object.assign(reply, { stop: 'refusal', calls: [], text: reply.text ?? 'I cannot help with that.' });
      return false;
    case 'bad-tool':
      reply.calls = [{ id: `call_bad_${reply.id}`, tool: { name: 'no_such_tool', kind: 'function' }, args: { x: 1 } }];
      return false;
    case 'bad-args':
      for (const call of reply.calls) call.rawArgs = '{"broken": ';
      return false;
    default:
      sendError(res, errorAnswer(protocol, fault));
      return true;
  }
}

const sse = ([name, data]) =>
  `${name ? `event: ${name}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

function stream(res, protocol, events, url) {
  if (protocol === 'gemini' && url.searchParams.get('alt') !== 'sse')
    return send(
      res,
      200,
      events.map(([, data]) => data),
    );
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'request-id': 'req_scripted' });
  for (const event of events) res.write(sse(event));
  return res.end();
}

function send(res, status, body, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}
const sendError = (res, { status, body, headers }) => send(res, status, body, headers);

const DECODERS = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

async function readBody(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const data = Buffer.concat(chunks);
  const decode = DECODERS[req.headers['content-encoding']];
  return (decode ? decode(data) : data).toString('utf8');
}

function apiKey(req, url) {
  const { headers } = req;
  const bearer = String(headers.authorization ?? '').replace(/^Bearer\s+/i, '');
  return String(headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers['api-key'] ?? url.searchParams.get('key') ?? bearer);
}

function modelList() {
  const stamp = { created: 1700000000, created_at: '2023-11-14T22:13:20Z' };
  const methods = ['generateContent', 'countTokens'];
  return {
    object: 'list',
    has_more: false,
    first_id: MODEL_IDS[0],
    last_id: MODEL_IDS.at(-1),
    data: MODEL_IDS.map((id) => ({ id, object: 'model', type: 'model', display_name: id, owned_by: 'scripted', ...stamp })),
    models: MODEL_IDS.map((id) => ({ name: `models/${id}`, displayName: id, supportedGenerationMethods: methods })),
  };
}

function help() {
  const lines = fs
    .readFileSync(new URL(import.meta.url), 'utf8')
    .split('\n')
    .slice(1);
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('//')),
    )
    .map((line) => line.slice(3))
    .join('\n');
}

function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      scenarios: text,
      log: text,
      'dump-dir': text,
      port: text,
      'port-file': text,
      host: text,
    },
  });
  if (values.help) {
    console.log(help());
    return;
  }
  const server = createServer({
    log: values.log,
    dumpDir: values['dump-dir'],
    scenarios: values.scenarios && JSON.parse(fs.readFileSync(values.scenarios, 'utf8')),
  });
  server.listen(Number(values.port ?? 0), values.host ?? '127.0.0.1', () => {
    const { address, port } = server.address();
    if (values['port-file']) {
      // Whoever waits for the file finds it whole.
      fs.writeFileSync(`${values['port-file']}.new`, String(port));
      fs.renameSync(`${values['port-file']}.new`, values['port-file']);
    }
    console.log(`scripted model listening on http://${address}:${port}`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      server.closeAllConnections();
      server.close(() => process.exit(0));
    });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) main();
