"""Opens a journal with Optuna, and says in JSON what is in it."""

import collections
import json
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

storage = JournalStorage(JournalFileBackend(sys.argv[1]))
(name,) = optuna.get_all_study_names(storage)
study = optuna.load_study(study_name=name, storage=storage)
print(
    json.dumps(
        {
            "name": name,
            "direction": study.direction.name,
            "states": collections.Counter(trial.state.name for trial in study.trials),
            "best_value": study.best_value,
            "best_params": study.best_params,
            "best_id": study.best_trial.user_attrs["id"],
            "scored_epochs": sum(len(trial.intermediate_values) for trial in study.trials),
        }
    )
)
