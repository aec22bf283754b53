#pragma once
// Intents whose effect is that time passes, and their results. docs/event-log.md says for each when it is written and
// what follows from it.

#include <string>
#include <string_view>

#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"
#include "bernstein/event/record.hpp"

namespace bernstein {

// The credential may not be used now: no agent of it starts until the time is over. About the run.
struct ParkRequested {
  std::string credential;
  Micros wait_us = 0;
  std::string why;

  static constexpr std::string_view type = "ParkRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("credential", self.credential);
    field("wait_us", self.wait_us);
    field("why", self.why);
  }
  bool operator==(const ParkRequested&) const = default;
};
// One session of it may go first now.
struct ParkEnded {
  std::string credential;

  static constexpr std::string_view type = "ParkEnded";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("credential", self.credential); }
  bool operator==(const ParkEnded&) const = default;
};

// The attempt's session is the first of its credential after a park: when it has worked for so long, others may follow.
struct TrialRequested {
  std::string credential;
  Micros wait_us = 0;

  static constexpr std::string_view type = "TrialRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("credential", self.credential);
    field("wait_us", self.wait_us);
  }
  bool operator==(const TrialRequested&) const = default;
};
// The time is over, whether the session still works or has ended before.
struct TrialEnded {
  std::string credential;

  static constexpr std::string_view type = "TrialEnded";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("credential", self.credential); }
  bool operator==(const TrialEnded&) const = default;
};

}  // namespace bernstein
