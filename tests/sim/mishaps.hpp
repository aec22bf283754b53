#pragma once
// Mishaps: decides, from the seed, what goes wrong at each occasion, and counts it.
//
// A crash is an exception that unwinds the loop: what the doors hold is what a kill would have left.

#include <string_view>

#include "dice.hpp"
#include "scenario.hpp"
#include "tally.hpp"

namespace bernstein::sim {

struct Crash {
  Sometimes moment;
  std::string_view where;  // "append", "capture"
};

class Mishaps {
 public:
  Mishaps(const Scenario& scenario, Tally& tally)
      : dials_(scenario.dials), dice_(scenario.seed, "mishaps"), tally_(tally) {}

  // From here on nothing goes wrong any more.
  void heal() { dials_ = {}; }
  const Dials& dials() const { return dials_; }
  Dice& dice() { return dice_; }
  Tally& tally() { return tally_; }

  void begin_life(bool is_resume) { recovering_ = is_resume; }
  void recovered() { recovering_ = false; }

  bool happens(std::uint32_t Dials::*dial, Sometimes what) {
    const bool does = dice_.chance(dials_.*dial);
    if (does) tally_.hit(what);
    return does;
  }

  // Throws Crash, or does nothing.
  void may_crash(std::uint32_t Dials::*dial, Sometimes moment, std::string_view where) {
    const bool in_recovery = recovering_ && dice_.chance(dials_.crash_in_recovery);
    if (!in_recovery && !dice_.chance(dials_.*dial)) return;
    tally_.hit(moment);
    if (recovering_) tally_.hit(Sometimes::crash_in_recovery);
    ++tally_.crashes;
    throw Crash{moment, where};
  }
  void before_effect(std::string_view of) {
    may_crash(&Dials::crash_before_effect, Sometimes::crash_before_effect, of);
  }
  void mid_effect(std::string_view of) { may_crash(&Dials::crash_mid_effect, Sometimes::crash_mid_effect, of); }
  void after_effect(std::string_view of) { may_crash(&Dials::crash_after_effect, Sometimes::crash_after_effect, of); }

 private:
  Dials dials_;
  Dice dice_;
  Tally& tally_;
  bool recovering_ = false;
};

}  // namespace bernstein::sim
