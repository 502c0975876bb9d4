"""Which variant to install at which inspection stage: what `gaikan pick` works out.

It chooses on validation alone and writes `picks.json`, which other programs read::

    format: 1
    timing: sha256 of the `latency.csv` that was picked from
    ok: name of the good class, or null
    stages: {NAME: {
        description: text
        objective: accuracy | escape | overkill | cost | latency
        constraints: [{name, min, max, is}]   # `is`: a list of names that are allowed; else null
        pick: CANDIDATE, or null where nothing qualifies
        why: one sentence
        warnings: [sentence]                  # such as: test falls short of what validation met
        binding: [{constraints, instead, why}]  # without these (one; several only where none
                                              # binds alone) `instead`, a variant, would be picked
        runners_up: [CANDIDATE with `why`]    # the best of other variants, at most 3
        nearest_miss: CANDIDATE with `would_have_to_give: [sentence]`; null where there is a pick,
                      # or the timing cannot judge the stage
        beyond: what a runtime that the base install lacks would gain, in a sentence; or null
        promise: {method, level, networks, level_each, holds_for: [sentence]};
                 null without an escape ceiling
        sensitivity: {latency, escape: names of the constraints that are varied (`escape` null:
                      no ceiling), budgets: [ms], ceilings: [rate] or [null],
                      picks: [[variant or null]],      # a row a ceiling, a column a budget
                      steps: [{ceiling, from_ms, to_ms, variant, runtime, precision, threads,
                               accuracy, escape_rate}]}  # to_ms null: and above
        candidates: [{variant, seed, machine, device, runtime, precision, threads, threshold,
                      qualifies, values: {constraint: value}, failed: [constraint]}]
    }}

    CANDIDATE: {variant, seed, machine, device, runtime, precision, threads, batch_size,
        bundle: {runtime, precision, needs}: what `gaikan export` makes of it, and the command
                that installs what that runs with; null: no bundle holds it
        threshold: on the ok margin, or null: the nearest anchor decides
        timing: {p50_ms, p90_ms, p99_ms, images_per_s, mflops, model_bytes, peak_rss_mb,
                 agreement}
        validation, test: FIGURES of this network with this threshold
        mean_over_seeds: {seeds: count, validation: FIGURES, test: FIGURES}
        checks: [{constraint, value, min, max, is, passed, test}]}  # `test`: the value there
    FIGURES: {n, accuracy, balanced_accuracy, escapes, defects, escape_rate, escape_bound,
        overkills, goods, overkill_rate, cost}

Shares are in 0..1; a figure that was not measured is null. `runtime` and `precision` are as in
`latency.csv`; `threads` is null on a GPU.
"""
