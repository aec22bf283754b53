-- What the router has learnt is a fold over the rewards of all runs, each with the features of its route.
CREATE INDEX rewards ON events (seq) WHERE type = 'RewardRecorded';

CREATE INDEX chosen_routes ON events (run, subject) WHERE type = 'RouteChosen';
