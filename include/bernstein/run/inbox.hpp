#pragma once
// Inbox: what callbacks have seen and the loop has not yet taken up. Arrival order is input: it is what gets recorded.

#include <utility>
#include <vector>

#include "bernstein/event/event.hpp"

namespace bernstein::run {

struct Observation {
  Draft draft;
  Seq cause = 0;  // of a result: its intent; 0 for what comes from outside
};

class Inbox {
 public:
  void push(Observation observation) { waiting_.push_back(std::move(observation)); }
  bool empty() const { return waiting_.empty(); }
  std::vector<Observation> drain() { return std::exchange(waiting_, {}); }

 private:
  std::vector<Observation> waiting_;
};

}  // namespace bernstein::run
