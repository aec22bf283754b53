#pragma once
// How to call an agent and what its output means, as plain data: read from the catalog and from bernstein.yaml (plan/),
// recorded in RunConfig (event/spec.hpp).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein {

// How an agent's session ended, as its exit code and its output tell. Whether it did its task is not told here: that is
// for the checks.
enum class AgentOutcome {
  done,      // it ended as it meant to
  auth,      // not logged in, or its key is refused
  quota,     // it may not work now: rate limit, usage limit, no credit
  overload,  // its service fails or cannot be reached
  context,   // more than the model can read
  refusal,   // the model, or a filter before it, declined
  model,     // no such model
  crash,     // anything else
  count_
};
BERNSTEIN_ENUM_WORDS(AgentOutcome, "done", "auth", "quota", "overload", "context", "refusal", "model", "crash");

// Which objects of JSON are meant: those where each of these pointers (RFC 6901) leads to this value, as text; "*" is
// any value but null. Empty: all.
using JsonMatch = std::map<std::string, std::string>;

// Where in an agent's output its usage stands. A place is a sum of JSON pointers, "/usage/input - /usage/cached", where
// a part that is "*" stands for all members, added up; "" where the agent does not tell.
struct UsageSpec {
  std::string cached_tokens;
  std::string cost_usd;  // a number of US dollars
  std::string format;    // "" (no usage), "json" (the output is one document), "jsonl" (the last line that has it)
  std::string input_tokens;
  std::string output_tokens;
  bool sum = false;  // jsonl: all such lines are added up
  JsonMatch when;    // jsonl: which lines are meant

  static void fields(auto& self, auto&& field) {
    field("cached_tokens", self.cached_tokens);
    field("cost_usd", self.cost_usd);
    field("format", self.format);
    field("input_tokens", self.input_tokens);
    field("output_tokens", self.output_tokens);
    field("sum", self.sum);
    field("when", self.when);
  }
  bool operator==(const UsageSpec&) const = default;
};

// How an agent's output or exit code tells that it failed. A rule holds when all that it names holds; with `when` or
// `last` it needs a line of JSON that fits.
struct FailureRule {
  std::vector<std::string> contains;    // the message, or plain output without one, has one of these; letter case aside
  std::optional<std::int64_t> exit;     // its exit code
  JsonMatch last;                       // only the last such line counts: what came before it was overcome
  std::string message;                  // pointer to what the agent says
  std::optional<AgentOutcome> outcome;  // nothing: what status and message say (agent/outcome.hpp)
  std::string retry_after;              // pointer to the seconds until it may work again
  std::string status;                   // pointer to the status of HTTP
  JsonMatch when;

  static void fields(auto& self, auto&& field) {
    field("contains", self.contains);
    field("exit", self.exit);
    field("last", self.last);
    field("message", self.message);
    field("outcome", self.outcome);
    field("retry_after", self.retry_after);
    field("status", self.status);
    field("when", self.when);
  }
  bool operator==(const FailureRule&) const = default;
};

// A text in an agent's output: that of the last line of JSON that fits. An empty pointer: the agent does not tell.
struct TextPlace {
  std::string at;
  JsonMatch when;

  static void fields(auto& self, auto&& field) {
    field("at", self.at);
    field("when", self.when);
  }
  bool operator==(const TextPlace&) const = default;
};

// What a million tokens cost, in micro-USD.
struct TokenPrice {
  UsdMicros cached;
  UsdMicros input;
  UsdMicros output;

  static void fields(auto& self, auto&& field) {
    field("cached", self.cached);
    field("input", self.input);
    field("output", self.output);
  }
  bool operator==(const TokenPrice&) const = default;
};

struct ModelSpec {
  std::string name;                 // what the agent calls it: replaces {model}
  std::optional<TokenPrice> price;  // for agents that tell tokens and no cost
  std::string tier;                 // what plans may call it: "cheap", "strong", ...

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("price", self.price);
    field("tier", self.tier);
  }
  bool operator==(const ModelSpec&) const = default;
};

// How to call one agent. No shell takes part. Placeholders in commands: {model} {worktree} {task} {attempt} {role},
// {prompt_file} or {prompt} (without both the prompt comes on stdin), {usage_file} (from which usage is then read), and
// in `schema` {schema}, {schema_file} and {strict_schema_file}.
struct AgentSpec {
  TextPlace answer;                   // its last words
  std::vector<std::string> command;   // argv
  std::string credential;             // whose limits it works under; agents with the same one share them
  std::vector<std::string> env;       // variables passed on, beside the few that every process gets
  std::vector<FailureRule> failures;  // in order: the first that holds
  std::uint32_t max_parallel = 0;     // 0: no limit of its own
  std::vector<ModelSpec> models;      // cheapest first; at least one
  std::string name;
  std::vector<std::string> read_only;                 // argv of a session that answers and changes nothing; or empty
  std::vector<std::string> schema;                    // words that ask such a session for an answer in a JSON Schema
  TextPlace session;                                  // its id of the session
  std::map<std::string, std::string> set;             // variables that it gets in any case
  std::map<std::string, std::string> set_in_sandbox;  // and those when it runs in our sandbox
  UsageSpec usage;

  static void fields(auto& self, auto&& field) {
    field("answer", self.answer);
    field("command", self.command);
    field("credential", self.credential);
    field("env", self.env);
    field("failures", self.failures);
    field("max_parallel", self.max_parallel);
    field("models", self.models);
    field("name", self.name);
    field("read_only", self.read_only);
    field("schema", self.schema);
    field("session", self.session);
    field("set", self.set);
    field("set_in_sandbox", self.set_in_sandbox);
    field("usage", self.usage);
  }
  bool operator==(const AgentSpec&) const = default;
};

}  // namespace bernstein
