// The script: from lines in a prompt or from a file to the turns that a model takes.

import { createHash } from 'node:crypto';

/** What a request costs unless its script says otherwise; `output` leaves out `reasoning`. */
export const DEFAULT_USAGE = { input: 1000, output: 50, cached: 0, cacheWrite: 0, reasoning: 0 };

/** Turns "SCRIPT:" lines into steps; undefined where the text holds none. */
export function parseDirectives(text) {
  const lines = [...text.matchAll(/^[ \t]*SCRIPT:[ \t]*([\w-]+)[ \t]*(.*?)[ \t]*\r?$/gm)];
  if (!lines.length) return undefined;
  const script = { steps: [], plain: false };
  for (const [, verb, rest] of lines) {
    switch (verb) {
      case 'write': {
        const [, file, raw = ''] = /^(\S+)(?:[ \t]+(.*))?$/.exec(rest) ?? [];
        const content = raw.startsWith('"') ? JSON.parse(raw) : raw.replaceAll('\\n', '\n') + '\n';
        script.steps.push({ write: { path: file, content } });
        break;
      }
      case 'tool': {
        const [, name, args] = /^(\S+)[ \t]*(.*)$/.exec(rest);
        script.steps.push({ tool: { name, args: JSON.parse(args || '{}') } });
        break;
      }
      case 'usage':
        script.steps.push({ usage: keyValues(rest) });
        break;
      case 'delay':
        script.steps.push({ delay: Number(rest) });
        break;
      case 'plain':
        script.plain = true;
        break;
      case 'fail': {
        const [kind] = rest.split(/\s+/, 1);
        const { times, retryAfter, message } = keyValues(rest.slice(kind.length));
        script.steps.push({ fail: { kind, times, retryAfter, message } });
        break;
      }
      default:
        script.steps.push({ [verb]: rest });
    }
  }
  script.id =
    'inline-' +
    createHash('sha1')
      .update(lines.map((l) => l[0].trim()).join('\n'))
      .digest('hex')
      .slice(0, 8);
  return script;
}

function keyValues(text) {
  const out = {};
  for (const [, key, quoted, bare] of text.matchAll(/([\w-]+)=(?:"([^"]*)"|(\S+))/g)) {
    const name = key.replace(/-(\w)/g, (_, c) => c.toUpperCase());
    out[name] = quoted ?? (/^-?[\d.]+$/.test(bare) ? Number(bare) : bare);
  }
  return out;
}

/** Steps -> model turns: {text, call, faults, delay, usage}; the last turn is text only, or {answer}. */
export function compileTurns(steps) {
  const turns = [];
  let text, answer;
  let faults = [];
  let delay = 0;
  let usage = {};
  for (const step of steps) {
    if (step.usage) usage = { ...usage, ...step.usage };
    else if (step.delay !== undefined) delay = step.delay;
    else if (step.fail) faults.push(typeof step.fail === 'object' ? step.fail : { kind: String(step.fail) });
    else if (step.answer !== undefined) answer = typeof step.answer === 'string' ? step.answer : JSON.stringify(step.answer);
    else if (step.say !== undefined) text = text === undefined ? step.say : `${text}\n${step.say}`;
    else {
      turns.push({ text, call: step, faults, delay, usage });
      text = undefined;
      faults = [];
    }
  }
  turns.push({ text: answer ?? text ?? 'Done.', answer, faults, delay, usage });
  return turns;
}

/**
 * The script that a conversation plays: that of the last user message which has one. `turn` counts the model's turns with calls
 * since then, and `calls` are those calls.
 */
export function findScript(scenarios, { messages }) {
  for (let i = messages.length - 1; i >= 0; i--) {
    if (messages[i].role !== 'user' || !messages[i].text) continue;
    const inline = parseDirectives(messages[i].text);
    const found = inline ?? scenarios.find((s) => matches(s.match, messages[i].text));
    if (!found) continue;
    const later = messages.slice(i + 1).filter((m) => m.role === 'assistant' && m.calls.length);
    return { script: { id: found.id ?? found.match, ...found }, turn: later.length, calls: later.flatMap((m) => m.calls) };
  }
  return undefined;
}

function matches(match, text) {
  const regex = /^\/(.*)\/([a-z]*)$/s.exec(match);
  return regex ? new RegExp(regex[1], regex[2]).test(text) : text.includes(match);
}
