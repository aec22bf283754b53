#pragma once
// The form of an answer (planner/answer.hpp) as a JSON Schema, for agents that can hold their answer to one.
//
//     answer_schema({"tests", "lint"}, 100)     {"type":"object","properties":{"name":...
//
// One line. `strict` keeps to what services take that hold the model to it word by word: every object names all of its
// properties as required and allows no others, and nothing is optional. So a signal is flat: what its type does not
// look at is "", which read_answer takes for absent. `lenient` is for agents that check the answer themselves and send
// it back: only what read_answer needs is required, and what it does not know it says itself. The numbers that such
// schemas cannot say stand in descriptions. No property is a command, an agent, a model or a budget.

#include <cstdint>
#include <string>
#include <vector>

namespace bernstein::planner {

enum class SchemaStyle { strict, lenient };

// Without gates, signals have no `name` and none is of type `gate`.
std::string answer_schema(const std::vector<std::string>& gates, std::uint32_t tasks_max, SchemaStyle style);

}  // namespace bernstein::planner
