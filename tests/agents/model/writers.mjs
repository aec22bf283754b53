// Four protocols, written.
// reply = {id, text, calls: [{id, tool, args, rawArgs}], stop: normal|max|refusal, usage}
// Each writer returns {json} for a plain answer and {events} for a streamed one; an event is
// [name, data] (name undefined where the protocol has no event names).

const pieces = (text) => text.match(/[\s\S]{1,24}/g) ?? [];
const argsText = (call) => call.rawArgs ?? (typeof call.args === 'string' ? call.args : JSON.stringify(call.args));

export const writers = {
  anthropic(reply, { model }) {
    const u = reply.usage;
    const usage = {
      input_tokens: u.input,
      cache_creation_input_tokens: u.cacheWrite,
      cache_read_input_tokens: u.cached,
      output_tokens: u.output + u.reasoning,
      service_tier: 'standard',
    };
    const stop =
      reply.stop === 'max' ? 'max_tokens' : reply.stop === 'refusal' ? 'refusal' : reply.calls.length ? 'tool_use' : 'end_turn';
    const content = [
      ...(reply.text ? [{ type: 'text', text: reply.text }] : []),
      ...reply.calls.map((c) => ({ type: 'tool_use', id: c.id, name: c.tool.name, input: c.args })),
    ];
    const head = { id: reply.id, type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null };
    const events = [['message_start', { type: 'message_start', message: { ...head, usage: { ...usage, output_tokens: 1 } } }]];
    content.forEach((block, index) => {
      const isText = block.type === 'text';
      const call = reply.calls.find((c) => c.id === block.id);
      events.push([
        'content_block_start',
        { type: 'content_block_start', index, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } },
      ]);
      for (const piece of pieces(isText ? block.text : argsText(call))) {
        events.push([
          'content_block_delta',
          {
            type: 'content_block_delta',
            index,
            delta: isText ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece },
          },
        ]);
      }
      events.push(['content_block_stop', { type: 'content_block_stop', index }]);
    });
    events.push(['message_delta', { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage }]);
    events.push(['message_stop', { type: 'message_stop' }]);
    return { json: { ...head, content, stop_reason: stop, usage }, events };
  },

  chat(reply, { model, includeUsage }) {
    const u = reply.usage;
    const prompt = u.input + u.cached + u.cacheWrite,
      completion = u.output + u.reasoning;
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: u.cached },
      completion_tokens_details: { reasoning_tokens: u.reasoning },
    };
    const finish =
      reply.stop === 'max' ? 'length' : reply.stop === 'refusal' ? 'content_filter' : reply.calls.length ? 'tool_calls' : 'stop';
    const tool_calls = reply.calls.map((c) => ({
      id: c.id,
      type: 'function',
      function: { name: c.tool.name, arguments: argsText(c) },
    }));
    const base = { id: reply.id, created: Math.floor(Date.now() / 1000), model };
    const chunk = (delta, finish_reason = null) => [
      undefined,
      { ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] },
    ];
    const events = [chunk({ role: 'assistant', content: '' })];
    for (const piece of pieces(reply.text ?? '')) events.push(chunk({ content: piece }));
    tool_calls.forEach((c, index) => {
      events.push(chunk({ tool_calls: [{ index, ...c, function: { name: c.function.name, arguments: '' } }] }));
      for (const piece of pieces(c.function.arguments))
        events.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    });
    events.push(chunk({}, finish));
    if (includeUsage) events.push([undefined, { ...base, object: 'chat.completion.chunk', choices: [], usage }]);
    events.push([undefined, '[DONE]']);
    const answer = { role: 'assistant', content: reply.text ?? null, ...(tool_calls.length && { tool_calls }) };
    return {
      json: { ...base, object: 'chat.completion', choices: [{ index: 0, message: answer, finish_reason: finish }], usage },
      events,
    };
  },

  responses(reply, { model }) {
    const u = reply.usage;
    const input = u.input + u.cached + u.cacheWrite,
      output = u.output + u.reasoning;
    const usage = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: u.cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: u.reasoning },
      total_tokens: input + output,
    };
    const items = [
      ...(reply.text
        ? [
            {
              type: 'message',
              id: `msg_${reply.id}`,
              status: 'completed',
              role: 'assistant',
              content: [{ type: 'output_text', text: reply.text, annotations: [] }],
            },
          ]
        : []),
      ...reply.calls.map((c) => {
        const id = `fc_${c.id}`,
          status = 'completed',
          namespace = c.tool.namespace ? { namespace: c.tool.namespace } : {};
        if (c.tool.kind === 'custom')
          return { type: 'custom_tool_call', id, status, call_id: c.id, name: c.tool.name, ...namespace, input: argsText(c) };
        if (c.tool.kind === 'local_shell')
          return { type: 'local_shell_call', id, status, call_id: c.id, action: { type: 'exec', ...c.args, env: {} } };
        return { type: 'function_call', id, status, call_id: c.id, name: c.tool.name, ...namespace, arguments: argsText(c) };
      }),
    ];
    const base = { id: reply.id, object: 'response', created_at: Math.floor(Date.now() / 1000), model };
    const partial = reply.stop !== 'normal';
    const final = {
      ...base,
      status: partial ? 'incomplete' : 'completed',
      output: items,
      usage,
      ...(partial && { incomplete_details: { reason: reply.stop === 'max' ? 'max_output_tokens' : 'content_filter' } }),
    };
    const events = [];
    const emit = (type, data) => events.push([type, { type, sequence_number: events.length, ...data }]);
    emit('response.created', { response: { ...base, status: 'in_progress', output: [] } });
    items.forEach((item, output_index) => {
      const at = { output_index, item_id: item.id };
      const stub = { ...item, status: 'in_progress' };
      if (item.type === 'message') stub.content = [];
      if (item.type === 'function_call') stub.arguments = '';
      if (item.type === 'custom_tool_call') stub.input = '';
      emit('response.output_item.added', { output_index, item: stub });
      if (item.type === 'message') {
        const part = { ...at, content_index: 0 };
        emit('response.content_part.added', { ...part, part: { type: 'output_text', text: '', annotations: [] } });
        for (const delta of pieces(reply.text)) emit('response.output_text.delta', { ...part, delta });
        emit('response.output_text.done', { ...part, text: reply.text });
        emit('response.content_part.done', { ...part, part: item.content[0] });
      } else if (item.type === 'function_call') {
        for (const delta of pieces(item.arguments)) emit('response.function_call_arguments.delta', { ...at, delta });
        emit('response.function_call_arguments.done', { ...at, arguments: item.arguments });
      } else if (item.type === 'custom_tool_call') {
        for (const delta of pieces(item.input)) emit('response.custom_tool_call_input.delta', { ...at, delta });
        emit('response.custom_tool_call_input.done', { ...at, input: item.input });
      }
      emit('response.output_item.done', { output_index, item });
    });
    emit(partial ? 'response.incomplete' : 'response.completed', { response: final });
    return { json: final, events };
  },

  gemini(reply, { model }) {
    const u = reply.usage;
    const prompt = u.input + u.cached + u.cacheWrite;
    const usageMetadata = {
      promptTokenCount: prompt,
      cachedContentTokenCount: u.cached,
      candidatesTokenCount: u.output,
      thoughtsTokenCount: u.reasoning,
      totalTokenCount: prompt + u.output + u.reasoning,
    };
    const finishReason = reply.stop === 'max' ? 'MAX_TOKENS' : reply.stop === 'refusal' ? 'SAFETY' : 'STOP';
    const calls = reply.calls.map((c) => ({ functionCall: { id: c.id, name: c.tool.name, args: c.rawArgs ? {} : c.args } }));
    const base = { modelVersion: model, responseId: reply.id };
    const chunk = (parts, more) => ({
      ...base,
      candidates: [{ index: 0, content: { role: 'model', parts }, ...more }],
      usageMetadata,
    });
    const text = pieces(reply.text ?? '').map((t) => ({ text: t }));
    const last = calls.length ? calls : [{ text: '' }];
    return {
      json: chunk([...(reply.text ? [{ text: reply.text }] : []), ...calls], { finishReason }),
      events: [...text.map((t) => [undefined, chunk([t])]), [undefined, chunk(last, { finishReason })]],
    };
  },
};
