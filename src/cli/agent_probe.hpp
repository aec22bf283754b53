#pragma once
// Whether agents reach a model: each is asked for one word, in its read-only session, with its cheapest model.
//
//     for (const ModelAnswer& answer : ask_models(context, agents)) answer.ending.outcome, answer.usage
//
// They run side by side in an empty repository that is gone afterwards, without a sandbox: there is nothing to read or
// to change. What each has left running is ended with it.

#include <string>
#include <vector>

#include "bernstein/agent/outcome.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/cli/context.hpp"
#include "bernstein/event/terms.hpp"
#include "discovery.hpp"

namespace bernstein::cli {

inline constexpr Micros k_model_answer_us_max = 60 * k_second;

struct ModelAnswer {
  const FoundAgent* agent = nullptr;
  std::string model;
  agent::Ending ending;
  std::string words;  // what it answered, without secrets
  Usage usage;        // with what it cost, where that is known
  Micros duration_us = 0;
  bool timed_out = false;
  std::string error;  // why it could not be asked; "" when it was
};

// All of them are installed and have a read-only session.
std::vector<ModelAnswer> ask_models(const Context& context, const std::vector<const FoundAgent*>& agents);

}  // namespace bernstein::cli
