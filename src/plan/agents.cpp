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

const std::vector<std::string> k_placeholders{"prompt_file", "model", "worktree", "task", "attempt", "role"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
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

class AgentReader {
 public:
  AgentReader(std::string name, const YamlNode& node, Report& report)
      : node_(node), report_(report), reader_(node, "agent " + quoted(name), report) {
    agent_.name = std::move(name);
  }

  AgentSpec read(int line) {
    if (!is_name(agent_.name) || agent_.name == "auto") {
      reader_.fault(line, "cannot be called so; use letters, digits, '-', '_' and '.', and not 'auto'");
    }
    // The short form: an argv and nothing else.
    if (node_.kind == YamlNode::Kind::list) {
      read_command(node_, line);
    } else if (node_.kind == YamlNode::Kind::map) {
      read_map();
    } else {
      reader_.fault(line,
                    "is " + std::string(name_of(node_.kind)) + "; write a map: {command: " + k_command_example + "}");
    }
    if (agent_.models.empty()) agent_.models.push_back(ModelSpec{.name = "default", .tier = "default"});
    return std::move(agent_);
  }

 private:
  void read_map() {
    const YamlNode* command = reader_.value("command");
    if (command == nullptr) {
      reader_.fault(reader_.line_of("command"), std::string("has no command; write command: ") + k_command_example);
    } else {
      read_command(*command, reader_.line_of("command"));
    }
    if (const YamlNode* models = reader_.value("models")) read_models(*models);
    for (Located& name : reader_.texts("env")) {
      if (is_variable(name.text)) {
        agent_.env.push_back(std::move(name.text));
      } else {
        reader_.fault(name.line,
                      "has " + quoted(name.text.substr(0, name.text.find('='))) +
                          " in 'env'; write names of variables only, their values come from the environment");
      }
    }
    agent_.max_parallel = reader_.number("max", 1, k_parallel_max).value_or(0);
    if (const YamlNode* usage = reader_.map("usage", "{format: jsonl, input_tokens: /usage/input}")) read_usage(*usage);
    reader_.finish({}, UnknownKeys::refuse);
  }

  void read_command(const YamlNode& command, int line) {
    std::string remedy = std::string("; write a list of words, as no shell splits them: ") + k_command_example;
    if (command.kind != YamlNode::Kind::list) {
      return reader_.fault(line, "has " + std::string(name_of(command.kind)) + " for 'command'" + remedy);
    }
    if (command.items.empty()) return reader_.fault(line, "has an empty command" + remedy);
    for (const YamlNode* word : command.items) {
      if (word->kind != YamlNode::Kind::scalar) {
        reader_.fault(word->line, "has " + std::string(name_of(word->kind)) + " in 'command'; each entry is a text" +
                                      (word->kind == YamlNode::Kind::map ? ": quote \"{model}\"" : ""));
        continue;
      }
      for (const std::string& name : placeholders_in(word->text)) check_placeholder(name, word->line);
      agent_.command.push_back(word->text);
    }
    if (!agent_.command.empty() && trim(agent_.command.front()).empty()) {
      reader_.fault(line, "has an empty program in 'command'" + remedy);
    }
  }

  void check_placeholder(const std::string& name, int line) {
    if (std::find(k_placeholders.begin(), k_placeholders.end(), name) != k_placeholders.end()) return;
    std::string known;
    for (const std::string& word : k_placeholders) known += (known.empty() ? "{" : ", {") + word + "}";
    reader_.fault(line, "has the unknown placeholder '{" + name + "}'" +
                            report_.suggest(name, k_placeholders, "; known are " + known));
  }

  void read_models(const YamlNode& models) {
    int line = reader_.line_of("models");
    if (models.kind == YamlNode::Kind::map) {
      for (const YamlEntry& entry : models.entries) {
        if (entry.value->kind == YamlNode::Kind::scalar && !trim(entry.value->text).empty()) {
          add_model(entry.key, on_one_line(entry.value->text), entry.line);
        } else {
          reader_.fault(entry.line, "has no name for the model tier " + quoted(entry.key) + "; write tier: name");
        }
      }
    } else if (models.kind == YamlNode::Kind::list) {
      for (const Located& name : reader_.texts("models")) {
        std::string model = on_one_line(name.text);
        add_model(model, model, name.line);
      }
    } else {
      reader_.fault(line, "has text for 'models'; write a map, cheapest first: {cheap: small-1, strong: big-1}");
    }
    if ((models.items.empty() && models.entries.empty()) && models.kind != YamlNode::Kind::scalar) {
      reader_.fault(line, "has no models; name one, or remove 'models' for the default of the agent");
    }
  }

  void add_model(const std::string& tier, const std::string& name, int line) {
    if (!tiers_.insert(tier).second) {
      reader_.fault(line, "has the model " + quoted(tier) + " twice; remove one");
    } else if (tier == "auto" || trim(tier).empty()) {
      reader_.fault(line, "has a model tier " + quoted(tier) + "; choose another word");
    } else {
      agent_.models.push_back(ModelSpec{.name = name, .tier = tier});
    }
  }

  void read_usage(const YamlNode& node) {
    MapReader usage(node, reader_.what() + ": usage", report_);
    static const std::vector<std::string> formats{"json", "jsonl"};
    UsageSpec& spec = agent_.usage;
    spec.format = usage.one_of("format", formats).value_or("");
    if (!usage.has("format")) usage.fault(usage.line(), "has no format; write format: json or format: jsonl");
    spec.input_tokens = read_pointer(usage, "input_tokens");
    spec.output_tokens = read_pointer(usage, "output_tokens");
    spec.cached_tokens = read_pointer(usage, "cached_tokens");
    spec.cost_usd = read_pointer(usage, "cost_usd");
    usage.finish({}, UnknownKeys::refuse);
  }

  // RFC 6901: parts that begin with '/', where '~' stands only as ~0 or ~1.
  static std::string read_pointer(MapReader& usage, const std::string& key) {
    std::string pointer = usage.text(key).value_or("");
    if (pointer.empty()) return pointer;
    bool valid = pointer.front() == '/';
    for (std::size_t at = pointer.find('~'); at != std::string::npos; at = pointer.find('~', at + 1)) {
      valid = valid && at + 1 < pointer.size() && (pointer[at + 1] == '0' || pointer[at + 1] == '1');
    }
    if (valid) return pointer;
    usage.fault(usage.line_of(key),
                "has " + quoted(pointer) + " for '" + key + "'; write a JSON pointer, such as /usage/input_tokens");
    return "";
  }

  const YamlNode& node_;
  Report& report_;
  MapReader reader_;
  AgentSpec agent_;
  std::set<std::string> tiers_;
};

}  // namespace

std::vector<AgentSpec> read_agents(const YamlNode& map, Report& report) {
  std::vector<AgentSpec> agents;
  for (const YamlEntry& entry : map.entries) {
    agents.push_back(AgentReader(entry.key, *entry.value, report).read(entry.line));
  }
  return agents;
}

}  // namespace bernstein::plan
