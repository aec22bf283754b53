// Errors as the protocol's own service words them.

const ANTHROPIC_TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};
const GOOGLE_STATUS = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};
const OPENAI_CODES = {
  401: 'invalid_api_key',
  404: 'model_not_found',
  429: 'rate_limit_exceeded',
  503: 'server_overloaded',
  529: 'server_overloaded',
};
const MESSAGES = {
  400: 'Scripted bad request',
  401: 'invalid x-api-key',
  402: 'Scripted payment required',
  403: 'Scripted permission denied',
  404: 'model: not found',
  413: 'Request exceeds the maximum size',
  429: 'Scripted rate limit reached. Please try again in 1s.',
  500: 'Scripted internal server error',
  502: 'Bad gateway',
  503: 'Service unavailable',
  504: 'Gateway timeout',
  529: 'Overloaded',
};

/** {status, body, headers} of an error as the protocol's real service words it. */
export function errorAnswer(protocol, fault) {
  const { kind, retryAfter } = fault;
  let status = kind === 'overflow' ? 400 : kind === 'quota' ? (protocol === 'anthropic' ? 400 : 429) : Number(kind);
  let text = fault.message ?? MESSAGES[status] ?? `Scripted error ${status}`;
  const headers = { ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }), ...fault.headers };
  if (protocol === 'anthropic') {
    if (!fault.message && kind === 'overflow') text = 'prompt is too long: 210000 tokens > 200000 maximum';
    if (!fault.message && kind === 'quota')
      text =
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.';
    return {
      status,
      headers,
      body: { type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message: text }, request_id: 'req_scripted' },
    };
  }
  if (protocol === 'gemini') {
    if (!fault.message && kind === 'overflow')
      text = 'The input token count (2100000) exceeds the maximum number of tokens allowed (1048576).';
    if (kind === '401' && !fault.message) {
      status = 400;
      text = 'API key not valid. Please pass a valid API key.';
    }
    const details = [];
    if (kind === '401')
      details.push({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' });
    if (kind === 'quota') {
      if (!fault.message) text = 'You exceeded your current quota, please check your plan and billing details.';
      details.push({
        '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
        violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }],
      });
    }
    if (retryAfter !== undefined)
      details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfter}s` });
    return {
      status,
      headers,
      body: {
        error: { code: status, message: text, status: GOOGLE_STATUS[status] ?? 'INTERNAL', ...(details.length && { details }) },
      },
    };
  }
  let code = OPENAI_CODES[status] ?? null;
  if (kind === 'overflow') {
    code = 'context_length_exceeded';
    if (!fault.message) text = "This model's maximum context length is 200000 tokens. Your input exceeds it.";
  }
  if (kind === 'quota') {
    code = 'insufficient_quota';
    if (!fault.message) text = 'You exceeded your current quota, please check your plan and billing details.';
  }
  if (kind === '401' && !fault.message) text = 'Incorrect API key provided: bad-key.';
  const type =
    kind === 'quota'
      ? 'insufficient_quota'
      : status === 429
        ? 'requests'
        : status >= 500
          ? 'server_error'
          : 'invalid_request_error';
  return { status, headers, body: { error: { message: text, type, param: null, code } } };
}

/** The event with which a stream that began well reports a failure. */
export function streamError(protocol) {
  if (protocol === 'anthropic') return ['error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }];
  if (protocol === 'responses') {
    return [
      'response.failed',
      {
        type: 'response.failed',
        sequence_number: 99,
        response: {
          id: 'resp_scripted',
          object: 'response',
          status: 'failed',
          error: { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 1s.' },
        },
      },
    ];
  }
  if (protocol === 'gemini') return [undefined, errorAnswer('gemini', { kind: '503' }).body];
  return [undefined, { error: { message: 'The server had an error', type: 'server_error', code: null } }];
}
