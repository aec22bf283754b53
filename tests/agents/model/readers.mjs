// Four protocols, read.
// Each reader returns {model, stream, system, messages, tools, jsonSchema}; a message is
// {role: user|assistant, text, calls: [{id, name}], results: [{text, error}]}.

const textOf = (content) =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map((p) => (typeof p === 'string' ? p : (p?.text ?? textOf(p?.content ?? '')))).join('\n')
      : content == null
        ? ''
        : JSON.stringify(content);

const message = (role) => ({ role, text: '', calls: [], results: [] });

export const readers = {
  anthropic(body) {
    let system = textOf(body.system);
    const messages = (body.messages ?? []).flatMap((m) => {
      if (m.role === 'system') {
        system += `\n${textOf(m.content)}`;
        return [];
      } // Claude Code's environment section
      const out = message(m.role);
      for (const part of typeof m.content === 'string' ? [{ type: 'text', text: m.content }] : (m.content ?? [])) {
        if (part.type === 'text') out.text += `${part.text}\n`;
        if (part.type === 'tool_use') out.calls.push({ id: part.id, name: part.name });
        if (part.type === 'tool_result') out.results.push({ text: textOf(part.content), error: Boolean(part.is_error) });
      }
      return out;
    });
    const tools = (body.tools ?? [])
      .filter((t) => t.input_schema)
      .map((t) => ({ name: t.name, kind: 'function', schema: t.input_schema }));
    const format = body.output_config?.format ?? body.output_format;
    return { model: body.model, stream: body.stream === true, system, messages, tools, jsonSchema: format?.schema };
  },

  chat(body) {
    let system = '';
    const messages = [];
    for (const m of body.messages ?? []) {
      if (m.role === 'system' || m.role === 'developer') {
        system += `${textOf(m.content)}\n`;
        continue;
      }
      const out = message(m.role === 'assistant' ? 'assistant' : 'user');
      if (m.role === 'tool') out.results.push({ text: textOf(m.content), error: false });
      else out.text = textOf(m.content);
      for (const c of m.tool_calls ?? []) out.calls.push({ id: c.id, name: c.function?.name ?? c.custom?.name });
      messages.push(out);
    }
    const tools = (body.tools ?? [])
      .filter((t) => t.function)
      .map((t) => ({ name: t.function.name, kind: 'function', schema: t.function.parameters }));
    return {
      model: body.model,
      stream: body.stream === true,
      system,
      messages,
      tools,
      jsonSchema: body.response_format?.json_schema?.schema,
      includeUsage: body.stream_options?.include_usage !== false,
    };
  },

  responses(body) {
    let system = `${body.instructions ?? ''}\n`;
    const messages = [];
    const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
    for (const item of items) {
      if (/_call$/.test(item.type ?? '')) {
        // Calls that follow each other are one model turn.
        const last = messages.at(-1);
        const turn = last?.role === 'assistant' ? last : messages[messages.push(message('assistant')) - 1];
        turn.calls.push({ id: item.call_id ?? item.id, name: item.name ?? item.type });
      } else if (/_call_output$/.test(item.type ?? '')) {
        const out = message('user');
        out.results.push({ text: textOf(item.output), error: false });
        messages.push(out);
      } else if (item.role === 'system' || item.role === 'developer') system += `${textOf(item.content)}\n`;
      else if (item.role) messages.push({ ...message(item.role), text: textOf(item.content) });
    }
    // Newer Codex models get their tools in an input item, grouped in namespaces.
    const toolsOf = (list, namespace) =>
      list.flatMap((t) =>
        t.type === 'function'
          ? [{ name: t.name, kind: 'function', schema: t.parameters, namespace }]
          : t.type === 'custom'
            ? [{ name: t.name, kind: 'custom', namespace }]
            : t.type === 'local_shell'
              ? [{ name: 'local_shell', kind: 'local_shell' }]
              : t.type === 'namespace'
                ? toolsOf(t.tools ?? [], t.name)
                : [],
      );
    const tools = toolsOf([...(body.tools ?? []), ...items.filter((i) => i.type === 'additional_tools').flatMap((i) => i.tools)]);
    return { model: body.model, stream: body.stream === true, system, messages, tools, jsonSchema: body.text?.format?.schema };
  },

  gemini(body, url) {
    const [, model, method] = /models\/([^/:]+):(\w+)/.exec(url.pathname);
    const messages = (body.contents ?? []).map((c) => {
      const out = message(c.role === 'model' ? 'assistant' : 'user');
      for (const part of c.parts ?? []) {
        if (part.text && !part.thought) out.text += `${part.text}\n`;
        if (part.functionCall) out.calls.push({ id: part.functionCall.id, name: part.functionCall.name });
        if (part.functionResponse) {
          const response = part.functionResponse.response ?? {};
          out.results.push({ text: textOf(response.output ?? response), error: 'error' in response });
        }
      }
      return out;
    });
    const tools = (body.tools ?? [])
      .flatMap((t) => t.functionDeclarations ?? [])
      .map((f) => ({ name: f.name, kind: 'function', schema: f.parametersJsonSchema ?? f.parameters }));
    const config = body.generationConfig ?? {};
    return {
      model,
      stream: method === 'streamGenerateContent',
      system: textOf(body.systemInstruction?.parts),
      messages,
      tools,
      jsonSchema: config.responseJsonSchema ?? config.responseSchema,
    };
  },
};
