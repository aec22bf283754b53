#pragma once
// Experience: what attempts of earlier runs teach about the next ones, and what is presumed before there are any.
//
//     const Experience experience(history, before);
//     experience.draw(arm, Complexity::high, rehearsal, task, attempt).lands
//
// An attempt teaches three things: whether its work landed, its cost as a share of what one attempt of its task is
// expected to cost at most (decide/budget.hpp), and its agent's time as a share of the estimated minutes. In these
// units small and large tasks teach about each other. A cost that is not known is presumed to be what was reserved.
// Only attempts count that ended by what they did: landed, failed their task, or were in conflict. Those that an
// agent's quota, a missing login or we ourselves ended teach nothing here.
//
// Before there are any, this is presumed: of ten attempts 9, 8 or 7 land (low, medium and high complexity), and they
// cost and take, each as likely:
//
//   share of the expected most    10 %   25 %   40 %   60 %   100 %
//   share of the estimated time   40 %   70 %  100 %  140 %   200 %
//
// Both are blended: the presumption counts as two attempts beside all attempts of the same complexity, and these
// together as two beside those of the same arm and complexity. So the first attempts already tell, and many of one arm
// tell nearly all. The presumed shares are scaled by how far the mean of all attempts, whatever their complexity, is
// from theirs, which again count as two.
//
// How far such shares are to be believed is not known either, so each rehearsal draws from a world of its own: as many
// attempts, drawn with repetition from those that there are (the bootstrap: Efron 1979).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bernstein/event/spec.hpp"
#include "history.hpp"

namespace bernstein::cli {

// What an attempt came to. Shares in parts per million, from 0.
struct Trial {
  bool lands = false;
  std::int64_t cost_ppm = 0;
  std::int64_t time_ppm = 0;
};

class Experience {
 public:
  Experience() = default;  // nothing but what is presumed
  // Of the attempts that ended before that event.
  Experience(const History& history, Seq before);

  std::int64_t attempts() const { return attempts_; }
  // Median time of all checks of an attempt together; 0 without any.
  Micros check_us() const { return check_us_; }

  // One attempt, in the world of a rehearsal. The same arguments, the same answer.
  Trial draw(const Arm& arm, Complexity complexity, std::uint64_t rehearsal, std::uint64_t task,
             std::uint64_t attempt) const;

 private:
  struct Kind {  // of attempts that teach about each other
    Complexity complexity = Complexity::medium;
    std::string agent;  // "": all arms of the complexity
    std::string model;
    auto operator<=>(const Kind&) const = default;
  };
  struct Shares {
    std::int64_t cost_ppm = 0;
    std::int64_t time_ppm = 0;
  };
  struct Pool {
    std::uint64_t id = 0;
    std::vector<Shares> landed;
    std::vector<Shares> failed;
  };

  const Pool& pool_of(const Kind& kind) const;
  std::int64_t landing_ppm(const Kind& kind) const;
  Shares shares(const Kind& kind, bool lands, std::uint64_t rehearsal, std::uint64_t which) const;

  std::map<Kind, Pool> pools_;
  Shares presumed_scale_ppm_{1'000'000, 1'000'000};
  std::int64_t attempts_ = 0;
  Micros check_us_ = 0;
};

}  // namespace bernstein::cli
