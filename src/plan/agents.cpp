#include "agents.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein::plan {
namespace {

constexpr std::uint32_t k_parallel_max = 1000;
constexpr const char* k_command_example = "[my-agent, --file, \"{prompt_file}\"]";

constexpr std::size_t k_price_dollars_max = 1'000'000;

using Texts = std::vector<std::string>;

const Texts k_placeholders{"prompt_file", "prompt", "model", "worktree", "task", "attempt", "role", "usage_file"};
const Texts k_schema_placeholders{"schema", "schema_file", "strict_schema_file"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
// Names stand in "agent/tier", on the command line and in file names.
bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == ':'; });
}

bool is_variable(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

// The words in braces: "{model}" but not "${HOME}", which belongs to a shell, nor "{ print }" or "{}".
std::vector<std::string> placeholders_in(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && (is_letter(text[end]) || text[end] == '-')) ++end;
    bool is_placeholder = end > at + 1 && end < text.size() && text[end] == '}';
    bool is_shell = at > 0 && text[at - 1] == '$';
    if (is_placeholder && !is_shell) words.emplace_back(text.substr(at + 1, end - at - 1));
  }
  return words;
}

// RFC 6901: parts that begin with '/', where '~' stands only as ~0 or ~1.
bool is_pointer(std::string_view text) {
  if (text.empty() || text.front() != '/') return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    if (at + 1 >= text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  }
  return true;
}

// "/a/b", or "/a/b + /c - /d".
bool is_place(std::string_view text) {
  bool pointer_is_next = true;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (pointer_is_next ? !is_pointer(word) : word != "+" && word != "-") return false;
    pointer_is_next = !pointer_is_next;
  }
  return !pointer_is_next;
}

// "2", "2.1", "2.1.330"
bool is_version(std::string_view text) {
  for (const std::string_view part : split(text, '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_digit)) return false;
  }
  return true;
}

TokenPrice read_price(MapReader& from) {
  const auto dollars = [&](const std::string& key) {
    const auto text = from.line(key);
    if (!text) return UsdMicros{};
    const auto amount = parse_usd(*text);
    if (amount && amount->value <= std::int64_t{k_price_dollars_max} * 1'000'000) return *amount;
    from.fault(from.line_of(key), "has " + quoted(*text) + " for '" + key + "'; write dollars for a million tokens");
    return UsdMicros{};
  };
  return {.cached = dollars("cached"), .input = dollars("input"), .output = dollars("output")};
}

class AgentReader {
 public:
  AgentReader(const std::string& name, const YamlNode& node, const CatalogEntry* base, Report& report)
      : node_(node), report_(report), reader_(node, "agent " + quoted(name), report) {
    if (base != nullptr) entry_ = *base;
    has_base_ = base != nullptr;
    entry_.spec.name = name;
    if (entry_.facts.title.empty()) entry_.facts.title = name;
  }

  CatalogEntry read(int line) {
    if (!is_name(entry_.spec.name) || entry_.spec.name == "auto") {
      reader_.fault(line, "cannot be called so; use letters, digits, '-', '_' and '.', and not 'auto'");
    }
    // The short form: an argv and nothing else.
    if (node_.kind == YamlNode::Kind::list) {
      entry_.spec.command = read_words(node_, "command", line, k_placeholders);
    } else if (node_.kind == YamlNode::Kind::map) {
      read_map();
    } else {
      reader_.fault(line,
                    "is " + std::string(name_of(node_.kind)) + "; write a map: {command: " + k_command_example + "}");
    }
    if (entry_.spec.credential.empty()) entry_.spec.credential = entry_.spec.name;
    if (entry_.spec.models.empty()) entry_.spec.models.push_back(ModelSpec{.name = "default", .tier = "default"});
    return std::move(entry_);
  }

 private:
  void read_map() {
    AgentSpec& spec = entry_.spec;
    if (const YamlNode* command = reader_.value("command")) {
      spec.command = read_words(*command, "command", reader_.line_of("command"), k_placeholders);
    } else if (!has_base_) {
      reader_.fault(reader_.line_of("command"), std::string("has no command; write command: ") + k_command_example);
    }
    if (const YamlNode* command = reader_.value("read_only")) {
      spec.read_only = read_words(*command, "read_only", reader_.line_of("read_only"), k_placeholders);
    }
    if (const YamlNode* words = reader_.value("schema")) {
      spec.schema = read_words(*words, "schema", reader_.line_of("schema"), k_schema_placeholders);
    }
    if (auto credential = reader_.line("credential")) spec.credential = *credential;
    if (const YamlNode* models = reader_.value("models")) read_models(*models);
    reader_.accept("env");
    if (reader_.has("env")) spec.env = read_variables(reader_, "env");
    read_set("set", spec.set);
    read_set("set_in_sandbox", spec.set_in_sandbox);
    if (const auto max = reader_.number("max", 1, k_parallel_max)) spec.max_parallel = *max;
    if (const YamlNode* usage = reader_.map("usage", "{format: jsonl, input_tokens: /usage/input}")) read_usage(*usage);
    read_text_place("answer", spec.answer);
    read_text_place("session", spec.session);
    if (const YamlNode* failures = reader_.list("failures", "[{when: {/type: error}, message: /message}]")) {
      spec.failures.clear();
      for (const YamlNode* rule : failures->items) read_failure(*rule);
    }
    read_facts();
    reader_.finish({}, UnknownKeys::refuse);
  }

  void read_facts() {
    AgentFacts& facts = entry_.facts;
    if (auto title = reader_.line("title")) facts.title = *title;
    if (auto install = reader_.line("install")) facts.install = *install;
    if (const auto rank = reader_.number("rank", 0, k_parallel_max)) facts.rank = *rank;
    if (const YamlNode* proof = reader_.map("proof", "{level: docs, date: 2026-11-25, source: https://...}")) {
      read_proof(*proof);
    }
    if (const YamlNode* version = reader_.map("version", "{command: [my-agent, --version]}")) read_version(*version);
    if (const YamlNode* login = reader_.map("login", "{env: [MY_AGENT_KEY]}")) read_login(*login);
  }

  void read_proof(const YamlNode& node) {
    MapReader proof(node, reader_.what() + ": proof", report_);
    const ProofLevel level = proof.word<ProofLevel>("level").value_or(ProofLevel::docs);
    entry_.facts.proof = {.level = level,
                          .version = proof.line("version").value_or(""),
                          .date = proof.line("date").value_or(""),
                          .source = proof.line("source").value_or("")};
    if (level == ProofLevel::docs && entry_.facts.proof.source.empty()) {
      proof.fault(proof.line(), "has no source; write source: with the address of the page it follows");
    }
    if (level != ProofLevel::docs && entry_.facts.proof.version.empty()) {
      proof.fault(proof.line(), "has no version; write version: with the version that was tried");
    }
    if (entry_.facts.proof.date.empty()) proof.fault(proof.line(), "has no date; write date: 2026-11-25");
    proof.finish({}, UnknownKeys::refuse);
  }

  void read_version(const YamlNode& node) {
    MapReader version(node, reader_.what() + ": version", report_);
    VersionRule& rule = entry_.facts.version;
    if (const YamlNode* command = version.value("command")) {
      rule.command = read_words(*command, "version", version.line_of("command"), {});
    }
    for (const auto& [key, bound] : {std::pair{"at_least", &rule.at_least}, std::pair{"below", &rule.below}}) {
      const auto text = version.line(key);
      if (!text) continue;
      if (!is_version(*text)) version.fault(version.line_of(key), "has " + quoted(*text) + "; write it like 2.1.0");
      *bound = *text;
    }
    version.finish({}, UnknownKeys::refuse);
  }

  void read_login(const YamlNode& node) {
    MapReader login(node, reader_.what() + ": login", report_);
    LoginRule rule;
    rule.env = read_variables(login, "env");
    rule.file = login.line("file").value_or("");
    for (const Located& key : login.texts("keys")) {
      if (!is_pointer(key.text)) {
        login.fault(key.line, "has " + quoted(key.text) + " in 'keys'; write JSON pointers, such as /tokens/access");
      }
      rule.keys.push_back(key.text);
    }
    if (const YamlNode* command = login.value("command")) {
      rule.command = read_words(*command, "login", login.line_of("command"), {});
    }
    rule.fix = login.line("fix").value_or("");
    rule.none = login.flag("none").value_or(false);
    login.finish({}, UnknownKeys::refuse);
    entry_.facts.login = std::move(rule);
  }

  // Words of an argv.
  Texts read_words(const YamlNode& node, const std::string& key, int line, const Texts& placeholders) {
    std::string remedy = std::string("; write a list of words, as no shell splits them: ") + k_command_example;
    Texts words;
    if (node.kind != YamlNode::Kind::list) {
      reader_.fault(line, "has " + std::string(name_of(node.kind)) + " for '" + key + "'" + remedy);
      return words;
    }
    if (node.items.empty()) reader_.fault(line, "has an empty " + key + remedy);
    for (const YamlNode* word : node.items) {
      if (word->kind != YamlNode::Kind::scalar) {
        reader_.fault(word->line, "has " + std::string(name_of(word->kind)) + " in '" + key +
                                      "'; each entry is a text" +
                                      (word->kind == YamlNode::Kind::map ? ": quote \"{model}\"" : ""));
        continue;
      }
      for (const std::string& name : placeholders_in(word->text)) check_placeholder(name, placeholders, word->line);
      words.push_back(word->text);
    }
    if (!words.empty() && trim(words.front()).empty()) {
      reader_.fault(line, "has an empty program in '" + key + "'" + remedy);
    }
    return words;
  }

  void check_placeholder(const std::string& name, const Texts& known, int line) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    if (known.empty()) return reader_.fault(line, "has '{" + name + "}', and nothing is filled in there; remove it");
    std::string all;
    for (const std::string& word : known) all += (all.empty() ? "{" : ", {") + word + "}";
    reader_.fault(line,
                  "has the unknown placeholder '{" + name + "}'" + report_.suggest(name, known, "; known are " + all));
  }

  Texts read_variables(MapReader& from, const std::string& key) {
    Texts names;
    for (Located& name : from.texts(key)) {
      if (is_variable(name.text)) {
        names.push_back(std::move(name.text));
      } else {
        from.fault(name.line, "has " + quoted(name.text.substr(0, name.text.find('='))) + " in '" + key +
                                  "'; write names of variables only, their values come from the environment");
      }
    }
    return names;
  }

  void read_set(const std::string& key, std::map<std::string, std::string>& variables) {
    const YamlNode* node = reader_.map(key, "{MY_AGENT_TELEMETRY: \"0\"}");
    if (node == nullptr) return;
    variables.clear();
    for (const YamlEntry& entry : node->entries) {
      if (!is_variable(entry.key) || entry.value->kind != YamlNode::Kind::scalar) {
        reader_.fault(entry.line, "has " + quoted(entry.key) + " in '" + key + "'; write NAME: text, and no secrets");
      } else {
        variables[entry.key] = entry.value->text;
      }
    }
  }

  void read_models(const YamlNode& models) {
    int line = reader_.line_of("models");
    entry_.spec.models.clear();
    if (models.kind == YamlNode::Kind::map) {
      for (const YamlEntry& entry : models.entries) {
        if (entry.value->kind == YamlNode::Kind::scalar && !trim(entry.value->text).empty()) {
          add_model({.name = on_one_line(entry.value->text), .tier = entry.key}, entry.line);
        } else if (entry.value->kind == YamlNode::Kind::map) {
          read_model(entry);
        } else {
          reader_.fault(entry.line, "has no name for the model tier " + quoted(entry.key) + "; write tier: name");
        }
      }
    } else if (models.kind == YamlNode::Kind::list) {
      for (const Located& name : reader_.texts("models")) {
        std::string model = on_one_line(name.text);
        add_model({.name = model, .tier = model}, name.line);
      }
    } else {
      reader_.fault(line, "has text for 'models'; write a map, cheapest first: {cheap: small-1, strong: big-1}");
    }
    if ((models.items.empty() && models.entries.empty()) && models.kind != YamlNode::Kind::scalar) {
      reader_.fault(line, "has no models; name one, or remove 'models' for the default of the agent");
    }
  }

  // {name: big-1, input: 3, cached: 0.30, output: 15}: dollars for a million tokens.
  void read_model(const YamlEntry& entry) {
    MapReader model(*entry.value, reader_.what() + ": model " + quoted(entry.key), report_);
    ModelSpec spec{.name = model.line("name").value_or(""), .tier = entry.key};
    if (spec.name.empty()) model.fault(entry.line, "has no name; write name: what the agent calls it");
    if (model.has("input") || model.has("output")) spec.price = read_price(model);
    model.finish({}, UnknownKeys::refuse);
    add_model(std::move(spec), entry.line);
  }

  void add_model(ModelSpec model, int line) {
    if (!tiers_.insert(model.tier).second) {
      reader_.fault(line, "has the model " + quoted(model.tier) + " twice; remove one");
    } else if (model.tier == "auto" || trim(model.tier).empty()) {
      reader_.fault(line, "has a model tier " + quoted(model.tier) + "; choose another word");
    } else {
      entry_.spec.models.push_back(std::move(model));
    }
  }

  void read_usage(const YamlNode& node) {
    MapReader usage(node, reader_.what() + ": usage", report_);
    static const Texts formats{"json", "jsonl"};
    UsageSpec spec;
    spec.format = usage.one_of("format", formats).value_or("");
    if (!usage.has("format")) usage.fault(usage.line(), "has no format; write format: json or format: jsonl");
    spec.input_tokens = read_place(usage, "input_tokens");
    spec.output_tokens = read_place(usage, "output_tokens");
    spec.cached_tokens = read_place(usage, "cached_tokens");
    spec.cost_usd = read_place(usage, "cost_usd");
    spec.when = read_match(usage, "when");
    spec.sum = usage.flag("sum").value_or(false);
    usage.finish({}, UnknownKeys::refuse);
    entry_.spec.usage = std::move(spec);
  }

  static std::string read_place(MapReader& from, const std::string& key) {
    std::string place = from.text(key).value_or("");
    if (place.empty() || is_place(place)) return place;
    from.fault(from.line_of(key), "has " + quoted(place) + " for '" + key +
                                      "'; write a JSON pointer, such as /usage/input_tokens, or several with + and -");
    return "";
  }

  static std::string read_pointer(MapReader& from, const std::string& key) {
    std::string pointer = from.text(key).value_or("");
    if (pointer.empty() || is_pointer(pointer)) return pointer;
    from.fault(from.line_of(key),
               "has " + quoted(pointer) + " for '" + key + "'; write a JSON pointer, such as /error/message");
    return "";
  }

  static JsonMatch read_match(MapReader& from, const std::string& key) {
    JsonMatch match;
    const YamlNode* node = from.map(key, "{/type: result}");
    if (node == nullptr) return match;
    for (const YamlEntry& entry : node->entries) {
      if (!is_pointer(entry.key) || entry.value->kind != YamlNode::Kind::scalar) {
        from.fault(entry.line,
                   "has " + quoted(entry.key) + " in '" + key + "'; write /pointer: value, or \"*\" for any");
      } else {
        match[entry.key] = entry.value->text;
      }
    }
    return match;
  }

  void read_text_place(const std::string& key, TextPlace& place) {
    const YamlNode* node = reader_.map(key, "{when: {/type: result}, at: /result}");
    if (node == nullptr) return;
    MapReader from(*node, reader_.what() + ": " + key, report_);
    place = {.at = read_pointer(from, "at"), .when = read_match(from, "when")};
    if (!from.has("at")) from.fault(from.line(), "has no 'at'; write at: /result");
    from.finish({}, UnknownKeys::refuse);
  }

  void read_failure(const YamlNode& node) {
    MapReader from(node, reader_.what() + ": failures", report_);
    if (node.kind != YamlNode::Kind::map) {
      return from.fault(node.line,
                        "has " + std::string(name_of(node.kind)) + "; write maps: {exit: 41, outcome: auth}");
    }
    FailureRule rule{.contains = {},
                     .exit = std::nullopt,
                     .last = read_match(from, "last"),
                     .message = read_pointer(from, "message"),
                     .outcome = from.word<AgentOutcome>("outcome"),
                     .retry_after = read_pointer(from, "retry_after"),
                     .status = read_pointer(from, "status"),
                     .when = read_match(from, "when")};
    for (Located& text : from.texts("contains")) rule.contains.push_back(std::move(text.text));
    if (const auto exit = from.number("exit", 0, 255)) rule.exit = *exit;
    const bool selects = rule.exit || !rule.contains.empty() || !rule.last.empty() || !rule.when.empty();
    if (!selects) from.fault(node.line, "has a rule that always holds; give it exit, contains, when or last");
    from.finish({}, UnknownKeys::refuse);
    entry_.spec.failures.push_back(std::move(rule));
  }

  const YamlNode& node_;
  Report& report_;
  MapReader reader_;
  CatalogEntry entry_;
  bool has_base_ = false;
  std::set<std::string> tiers_;
};

}  // namespace

CatalogEntry read_agent(const std::string& name, const YamlNode& node, int line, const CatalogEntry* base,
                        Report& report) {
  CatalogEntry entry = AgentReader(name, node, base, report).read(line);
  // What tells that somebody is logged in is what the agent logs in with.
  for (const std::string& variable : entry.facts.login.env) {
    auto& env = entry.spec.env;
    if (std::find(env.begin(), env.end(), variable) == env.end()) env.push_back(variable);
  }
  return entry;
}

std::map<std::string, TokenPrice> read_prices(const YamlNode& map, Report& report) {
  std::map<std::string, TokenPrice> prices;
  for (const YamlEntry& entry : map.entries) {
    const std::string what = "the price of " + quoted(entry.key);
    if (entry.value->kind != YamlNode::Kind::map) {
      report.fault(entry.line, what + " is " + std::string(name_of(entry.value->kind)) +
                                   "; write a map: {input: 3, cached: 0.30, output: 15}");
      continue;
    }
    MapReader price(*entry.value, what, report);
    if (!price.has("input") || !price.has("output")) {
      price.fault(entry.line, "has no " + std::string(price.has("input") ? "output" : "input") +
                                  "; write both, in dollars for a million tokens");
    }
    prices[entry.key] = read_price(price);
    price.finish({}, UnknownKeys::refuse);
  }
  return prices;
}

std::vector<CatalogEntry> read_agents(const YamlNode& map, Report& report) {
  std::vector<CatalogEntry> agents;
  for (const YamlEntry& entry : map.entries) {
    agents.push_back(read_agent(entry.key, *entry.value, entry.line, find_in_catalog(entry.key), report));
  }
  return agents;
}

}  // namespace bernstein::plan
