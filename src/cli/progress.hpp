#pragma once
// Progress: what a person sees while a run goes on.
//
//     Progress progress(out, {.live = true, .colour = true, .width = 120, .height = 40}, reactor);
//     ... given to run::Loop as its observer; tick() every now and then keeps the elapsed times moving ...
//     progress.close();                 // the display is gone, what was said stays
//
// live: a line for each task in flight, changed in place under the lines of what is done; else a line for each thing
// worth telling. Redraws are at least k_redraw_us_min apart. It decides nothing and writes no events.

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/port/reactor.hpp"
#include "bernstein/run/loop.hpp"
#include "tally.hpp"

namespace bernstein::cli {

inline constexpr Micros k_redraw_us_min = 100'000;
inline constexpr Micros k_tick_us = 250'000;

struct Display {
  bool live = false;
  bool colour = false;
  std::size_t width = 80;
  std::size_t height = 24;
};

class Progress : public run::Observer {
 public:
  // `before`: of the events that the log has of the run already.
  Progress(std::ostream& out, Display display, port::Reactor& reactor, Tally before = {});

  void on_event(const RunState& state, const Event& event) override;
  void on_warning(const std::string& sentence) override;
  void tick();   // redraws the elapsed times; no effect but on a live display
  void close();  // takes the display away; on_event prints plain lines from then on

  const Tally& tally() const { return tally_; }

 private:
  // One attempt in flight, as far as its line needs it.
  struct Row {
    AttemptId attempt;
    std::string title;
    std::string arm;
    Step step = Step::assigned;
    bool stalled = false;
    Micros since_us = 0;
    std::optional<UsdMicros> cost;
  };
  void take(const RunState& state);
  void say(const std::string& glyph, const std::string& colour, const std::string& text);
  void tell(const RunState& state, const Event& event);
  void draw();
  void erase();
  std::string paint(const std::string& colour, const std::string& text) const;
  std::size_t line_room() const;
  std::string row_line(const Row& row) const;
  std::string summary_line() const;
  Micros run_time_us() const;  // the run's clock: the last event's time and what has gone by since

  std::ostream& out_;
  Display display_;
  port::Reactor& reactor_;
  Tally tally_;
  std::vector<Row> rows_;
  std::vector<std::string> waiting_;  // lines of what limits keep from working
  std::string run_;
  std::size_t tasks_ = 0;
  std::size_t landed_ = 0;
  std::optional<UsdMicros> cost_;
  Micros event_at_us_ = 0;
  Micros event_seen_us_ = 0;
  Micros drawn_us_ = 0;
  std::size_t drawn_lines_ = 0;
};

}  // namespace bernstein::cli
