// The clients' own tools: which one does what a step of a script wants, and with which arguments.

import path from 'node:path';

const TOOL_NAMES = {
  write: ['Write', 'write_file', 'write', 'write_to_file', 'Create', 'create', 'create_file', 'apply_patch', 'ApplyPatch'],
  run: [
    'Bash',
    'bash',
    'run_shell_command',
    'exec_command',
    'shell_command',
    'shell',
    'Shell',
    'execute_command',
    'run_terminal_command',
    'run_commands',
    'run_command',
    'Execute',
    'terminal',
    'launch-process',
    'local_shell',
  ],
  read: ['Read', 'read_file', 'read', 'view', 'View', 'read_files'],
};
const PROPERTY_NAMES = {
  path: ['file_path', 'filePath', 'filepath', 'absolute_path', 'path', 'target_file', 'fileName', 'filename'],
  content: ['content', 'file_text', 'fileContents', 'contents', 'text', 'new_content'],
  command: ['command', 'cmd', 'commands', 'script'],
  patch: ['input', 'patch', 'patchText', 'patch_text'],
};

/** Chooses the agent's own tool for an abstract step and builds its arguments from its schema. */
export function planCall(step, tools, cwd) {
  if (step.tool) {
    const tool = tools.find((t) => t.name === step.tool.name) ?? { name: step.tool.name, kind: 'function' };
    return { tool, args: step.tool.args ?? {} };
  }
  if (step.write) {
    const { path: file, content } = step.write;
    for (const tool of byName(tools, TOOL_NAMES.write)) {
      if (tool.kind === 'custom') return { tool, args: addFilePatch(file, content) };
      const pathKey = property(tool, 'path'),
        contentKey = property(tool, 'content'),
        patchKey = property(tool, 'patch');
      if (pathKey && contentKey) return { tool, args: complete(tool, { [pathKey]: absolute(file, cwd), [contentKey]: content }) };
      if (patchKey) return { tool, args: complete(tool, { [patchKey]: addFilePatch(file, content) }) };
    }
    const code = codeMode(tools);
    if (code) return { tool: code, args: `text(await tools.apply_patch(${JSON.stringify(addFilePatch(file, content))}));` };
    const dir = path.posix.dirname(file);
    return planCall(
      { run: `${dir === '.' ? '' : `mkdir -p ${quote(dir)} && `}printf '%s' ${quote(content)} > ${quote(file)}` },
      tools,
      cwd,
    );
  }
  if (step.run !== undefined) {
    for (const tool of byName(tools, TOOL_NAMES.run)) {
      if (tool.kind === 'local_shell') return { tool, args: { command: ['bash', '-lc', step.run] } };
      const key = property(tool, 'command');
      if (!key) continue;
      const isList = tool.schema.properties[key].type === 'array';
      const value = !isList ? step.run : tool.name === 'shell' ? ['bash', '-lc', step.run] : [step.run];
      return { tool, args: complete(tool, { [key]: value }) };
    }
    const code = codeMode(tools);
    if (code) return { tool: code, args: `text(await tools.exec_command({ cmd: ${JSON.stringify(step.run)} }));` };
  }
  if (step.read !== undefined) {
    for (const tool of byName(tools, TOOL_NAMES.read)) {
      const key = property(tool, 'path');
      if (key) return { tool, args: complete(tool, { [key]: absolute(step.read, cwd) }) };
    }
    return planCall({ run: `cat ${quote(step.read)}` }, tools, cwd);
  }
  return undefined;
}

/** The call of the tool by which some clients ask for structured output (--json-schema of Claude Code and Qwen). */
export function structuredTool(answer, tools) {
  const tool = tools.find((t) => ['StructuredOutput', 'structured_output'].includes(t.name));
  if (!tool) return undefined;
  try {
    return { tool, args: JSON.parse(answer) };
  } catch {
    return { tool, args: { answer } };
  }
}

/** Codex "code mode": one tool that runs JavaScript, inside which the other tools are functions. */
const codeMode = (tools) => tools.find((t) => t.kind === 'custom' && t.name === 'exec');
const byName = (tools, names) => names.flatMap((n) => tools.filter((t) => t.name === n));
const property = (tool, role) => PROPERTY_NAMES[role].find((p) => tool.schema?.properties?.[p]);
const absolute = (file, cwd) => (cwd && !path.posix.isAbsolute(file) ? path.posix.join(cwd, file) : file);
const quote = (s) => `'${s.replaceAll("'", "'\\''")}'`;

function addFilePatch(file, content) {
  const lines = content
    .replace(/\n$/, '')
    .split('\n')
    .map((l) => `+${l}`);
  return ['*** Begin Patch', `*** Add File: ${file}`, ...lines, '*** End Patch', ''].join('\n');
}

function complete(tool, args) {
  for (const key of tool.schema?.required ?? []) {
    if (!(key in args)) args[key] = instance(tool.schema.properties?.[key], 'scripted step');
  }
  return args;
}

/** The smallest value that a JSON schema accepts. */
export function instance(schema = {}, word = 'scripted') {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const variant = (schema.anyOf ?? schema.oneOf)?.[0];
  if (variant) return instance(variant, word);
  const type = String([schema.type ?? 'string'].flat()[0]).toLowerCase();
  if (type === 'object') {
    const props = schema.properties ?? {};
    return Object.fromEntries((schema.required ?? Object.keys(props)).map((k) => [k, instance(props[k], word)]));
  }
  if (type === 'array') return Array.from({ length: schema.minItems ?? 0 }, () => instance(schema.items, word));
  if (type === 'boolean') return false;
  if (type === 'number' || type === 'integer') return schema.minimum ?? 1;
  if (type === 'null') return null;
  return word;
}

const CWD_PATTERNS = [
  /<cwd>([^<\n]+)<\/cwd>/,
  /(?:primary |current )?working directory(?: is)?(?:\*\*)?:?(?:\*\*)?\s*`?(\/[^\n`<"]*)/i,
  /working in the directory:?\s*`?(\/[^\n`<"]*)/i,
  /Workspace Directories:(?:\*\*)?\s*-\s*`?(\/[^\n`<"]*)/i,
  /<workingDirectory>([^<\n]+)</i,
  /["']?cwd["']?\s*[:=]\s*["'`]?(\/[^\n`<"',]*)/i,
  /(?:workspace|project) (?:root|path|folder|directory)[^\n/]{0,40}\s`?(\/[^\n`<"',]*)/i,
];

/** The working directory that a client names in its prompt, each in its own words. */
export function findCwd(conversation) {
  const text = [conversation.system, ...conversation.messages.filter((m) => m.role === 'user').map((m) => m.text)].join('\n');
  for (const pattern of CWD_PATTERNS) {
    const found = pattern.exec(text);
    if (found)
      return found[1]
        .trim()
        .replace(/[.,;:)]+$/, '')
        .replace(/(.)\/$/, '$1');
  }
  return undefined;
}
