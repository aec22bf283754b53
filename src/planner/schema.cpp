#include "bernstein/planner/schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace bernstein::planner {
namespace {

using Json = nlohmann::ordered_json;

// Services refuse a schema with very many words to choose from.
constexpr std::size_t k_gates_in_schema_max = 200;

Json text(const std::string& description) {
  return {{"type", "string"}, {"description", description}};
}

Json word_of(const std::vector<std::string>& words, const std::string& description) {
  return {{"type", "string"}, {"enum", words}, {"description", description}};
}

Json list_of(Json items, const std::string& description) {
  return {{"type", "array"}, {"items", std::move(items)}, {"description", description}};
}

// Of what an answer has. `needed`: properties that no answer can do without.
class Form {
 public:
  Form(const std::vector<std::string>& gates, std::uint32_t tasks_max, SchemaStyle style)
      : gates_(gates), tasks_max_(tasks_max), strict_(style == SchemaStyle::strict) {}

  Json plan() const {
    const Json stage = object(
        {{"name", text("unique in the plan")},
         {"depends_on", list_of({{"type", "string"}}, "names of stages that must be done first")},
         {"steps", list_of(step(), "at least one; at most " + std::to_string(tasks_max_) + " in all stages together")}},
        {"name", "steps"});
    return object({{"name", text("what the plan is called, a few words")}, {"stages", list_of(stage, "at least one")}},
                  {"stages"});
  }

 private:
  Json object(Json properties, const std::vector<std::string>& needed) const {
    Json schema{{"type", "object"}, {"properties", std::move(properties)}};
    Json& required = schema["required"] = Json::array();
    if (strict_) {
      for (const auto& [key, value] : schema["properties"].items()) required.push_back(key);
      schema["additionalProperties"] = false;
    } else {
      for (const std::string& key : needed) required.push_back(key);
    }
    return schema;
  }

  Json signal() const {
    std::vector<std::string> types{"path_exists", "glob_exists", "file_contains"};
    if (!gates_.empty()) types.emplace_back("gate");
    const std::string unused = strict_ ? "; else \"\"" : "";
    Json properties = {{"type", word_of(types, "what is checked")},
                       {"path", text("a path, or a glob for glob_exists" + unused)},
                       {"contains", text("file_contains: the text that the file has" + unused)}};
    if (gates_.empty()) return object(std::move(properties), {"type"});
    const std::string description = "gate: its name" + unused;
    std::vector<std::string> names{""};
    for (const std::string& gate : gates_) {
      if (std::find(names.begin(), names.end(), gate) == names.end()) names.push_back(gate);
    }
    properties["name"] = names.size() > k_gates_in_schema_max ? text(description) : word_of(names, description);
    return object(std::move(properties), {"type"});
  }

  Json step() const {
    return object(
        {{"id", text("a short name, unique in the plan, for depends_on")},
         {"title", text("one line")},
         {"description", text("everything that the agent needs to know: it sees nothing else")},
         {"role", text("who does it")},
         {"files", list_of({{"type", "string"}}, "paths, directories and globs that the step changes, from the root")},
         {"depends_on", list_of({{"type", "string"}}, "ids of steps that must be done first")},
         {"priority",
          {{"type", "integer"}, {"enum", {1, 2, 3, 4, 5}}, {"description", "1 is most urgent, 2 is usual"}}},
         {"scope", word_of({"small", "medium", "large"}, "how much it changes")},
         {"complexity", word_of({"low", "medium", "high"}, "how hard it is")},
         {"estimated_minutes", {{"type", "integer"}, {"description", "10 to 60"}}},
         {"completion_signals", list_of(signal(), "what proves that the step is done")}},
        {"title", "description"});
  }

  const std::vector<std::string>& gates_;
  std::uint32_t tasks_max_;
  bool strict_;
};

}  // namespace

std::string answer_schema(const std::vector<std::string>& gates, std::uint32_t tasks_max, SchemaStyle style) {
  return Form(gates, tasks_max, style).plan().dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bernstein::planner
