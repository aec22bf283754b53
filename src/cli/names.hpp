#pragma once
// RUN and TASK as a person types them → what the log calls them.
//
//     BERNSTEIN_TRY(RunId run, find_run(reader, "latest", std::nullopt));
//     BERNSTEIN_TRY(TaskStory story, read_story(reader, options));      // "t4", "r3/t4", "t4.2", or the step's `id:`
//
// A name that stands for nothing is ErrorCode::not_found; the message says what there is.

#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::cli {

// "r3", "3"; "" and "latest": the newest run or, with `at`, the run of that event.
Result<RunId> find_run(port::EventReader& reader, const std::string& typed, std::optional<Seq> at);

// Everything that the log tells about one task.
struct TaskStory {
  RunId run;
  TaskSpec spec;
  std::uint32_t attempt = 0;   // the one that was named; 0 when the whole task was
  std::uint32_t attempts = 0;  // how many have begun
  std::vector<Event> events;   // of the task and of all its attempts (or of the named one), in order

  // The attempt to show: the named one, else the last. 0 when none has begun.
  std::uint32_t shown_attempt() const { return attempt != 0 ? attempt : attempts; }
};

// options.task names the task; a run in it ("r3/t4") must agree with options.run when both are given.
Result<TaskStory> read_story(port::EventReader& reader, const LookOptions& options);

}  // namespace bernstein::cli
