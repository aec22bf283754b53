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

Json object(Json properties) {
  Json required = Json::array();
  for (const auto& [key, value] : properties.items()) required.push_back(key);
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

Json signal(const std::vector<std::string>& gates) {
  std::vector<std::string> types{"path_exists", "glob_exists", "file_contains"};
  if (!gates.empty()) types.emplace_back("gate");
  Json properties = {{"type", word_of(types, "what is checked")},
                     {"path", text("a path, or a glob for glob_exists; \"\" for a gate")},
                     {"contains", text("file_contains: the text that the file has; else \"\"")}};
  if (gates.empty()) return object(std::move(properties));
  const std::string description = "gate: its name; else \"\"";
  std::vector<std::string> names{""};
  for (const std::string& gate : gates) {
    if (std::find(names.begin(), names.end(), gate) == names.end()) names.push_back(gate);
  }
  properties["name"] = names.size() > k_gates_in_schema_max ? text(description) : word_of(names, description);
  return object(std::move(properties));
}

Json step(const std::vector<std::string>& gates) {
  return object(
      {{"id", text("a short name, unique in the plan, for depends_on")},
       {"title", text("one line")},
       {"description", text("everything that the agent needs to know: it sees nothing else")},
       {"role", text("who does it")},
       {"files", list_of({{"type", "string"}}, "paths, directories and globs that the step changes, from the root")},
       {"depends_on", list_of({{"type", "string"}}, "ids of steps that must be done first")},
       {"priority", {{"type", "integer"}, {"enum", {1, 2, 3, 4, 5}}, {"description", "1 is most urgent, 2 is usual"}}},
       {"scope", word_of({"small", "medium", "large"}, "how much it changes")},
       {"complexity", word_of({"low", "medium", "high"}, "how hard it is")},
       {"estimated_minutes", {{"type", "integer"}, {"description", "10 to 60"}}},
       {"completion_signals", list_of(signal(gates), "what proves that the step is done")}});
}

}  // namespace

std::string answer_schema(const std::vector<std::string>& gates, std::uint32_t tasks_max) {
  const Json stage = object({{"name", text("unique in the plan")},
                             {"depends_on", list_of({{"type", "string"}}, "names of stages that must be done first")},
                             {"steps", list_of(step(gates), "at least one; at most " + std::to_string(tasks_max) +
                                                                " in all stages together")}});
  const Json schema =
      object({{"name", text("what the plan is called, a few words")}, {"stages", list_of(stage, "at least one")}});
  return schema.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bernstein::planner
