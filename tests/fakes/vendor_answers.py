"""What the services answer, in the shapes of their documentation."""

from __future__ import annotations

# docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html and botocore's model of it
USAGE = {
    "topicPolicyUnits": 1,
    "contentPolicyUnits": 1,
    "wordPolicyUnits": 1,
    "sensitiveInformationPolicyUnits": 1,
    "sensitiveInformationPolicyFreeUnits": 1,
    "contextualGroundingPolicyUnits": 0,
}
BEDROCK_CLEAN = {"usage": USAGE, "action": "NONE", "outputs": [], "assessments": [{}]}


def bedrock(**policies: object) -> dict[str, object]:
    """An answer of a guardrail that intervened."""
    return {
        "usage": USAGE,
        "action": "GUARDRAIL_INTERVENED",
        "actionReason": "Guardrail blocked.",
        "outputs": [{"text": "Sorry, the model cannot answer this question."}],
        "assessments": [
            {
                **policies,
                "invocationMetrics": {
                    "guardrailProcessingLatency": 312,
                    "guardrailCoverage": {"textCharacters": {"guarded": 40, "total": 40}},
                },
            }
        ],
        "guardrailCoverage": {"textCharacters": {"guarded": 40, "total": 40}},
    }


BEDROCK_ATTACK = bedrock(
    contentPolicy={
        "filters": [
            {
                "type": "PROMPT_ATTACK",
                "confidence": "HIGH",
                "filterStrength": "HIGH",
                "action": "BLOCKED",
                "detected": True,
            }
        ]
    }
)

# learn.microsoft.com/azure/ai-services/content-safety/quickstart-text
AZURE_CLEAN = {
    "blocklistsMatch": [],
    "categoriesAnalysis": [
        {"category": name, "severity": 0} for name in ("Hate", "SelfHarm", "Sexual", "Violence")
    ],
}
AZURE_HARM = {
    "blocklistsMatch": [
        {"blocklistName": "codenames", "blocklistItemId": "1a2b", "blocklistItemText": "bluebird"}
    ],
    "categoriesAnalysis": [
        {"category": "Hate", "severity": 2},
        {"category": "SelfHarm", "severity": 0},
        {"category": "Sexual", "severity": 0},
        {"category": "Violence", "severity": 4},
    ],
}

# learn.microsoft.com/azure/ai-services/content-safety/quickstart-jailbreak
SHIELD_PROMPT_ATTACK = {"userPromptAnalysis": {"attackDetected": True}, "documentsAnalysis": []}
SHIELD_DOCUMENT_ATTACK = {
    "userPromptAnalysis": {"attackDetected": False},
    "documentsAnalysis": [{"attackDetected": False}, {"attackDetected": True}],
}

# platform.openai.com/docs/api-reference/moderations/object
MODERATION_NAMES = (
    "harassment",
    "harassment/threatening",
    "sexual",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm/intent",
    "self-harm/instructions",
    "self-harm",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def moderation(**scores: float) -> dict[str, object]:
    """One result: categories with a score of a half and more are flagged; `_` stands for `/`."""
    given = {name: scores.get(name.replace("/", "_").replace("-", "_"), 0.0001) for name in MODERATION_NAMES}
    return {
        "flagged": any(score >= 0.5 for score in given.values()),
        "categories": {name: score >= 0.5 for name, score in given.items()},
        "category_scores": given,
        "category_applied_input_types": {name: ["text"] for name in given},
    }


def moderations(*results: dict[str, object]) -> dict[str, object]:
    """The whole answer."""
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": list(results)}


def patronus(*passed: bool) -> dict[str, object]:
    """An answer of Patronus: one result for each evaluator."""
    return {
        "results": [
            {
                "evaluator_id": "judge-large-2024-08-08",
                "profile_name": "patronus:prompt-injection",
                "status": "success",
                "error_message": None,
                "evaluation_result": {
                    "id": "115235600959424861",
                    "pass": each,
                    "score_raw": 1.0 if each else 0.0,
                    "score_normalized": 1.0 if each else 0.0,
                    "additional_info": {"positions": [], "extra": None, "confidence_interval": None},
                    "explanation": "",
                },
            }
            for each in passed
        ]
    }


LAKERA_CLEAN = {
    "payload": [],
    "flagged": False,
    "breakdown": [
        {
            "project_id": "project-1",
            "policy_id": "policy-1",
            "detector_id": "detector-1",
            "detector_type": "prompt_attack",
            "detected": False,
        }
    ],
    "metadata": {"request_uuid": "8b2b6c1c-9f7a-4f8a-9c2d-8a44ca72e975"},
}


def lakera(*detected: str, payload: list[dict[str, object]] | None = None) -> dict[str, object]:
    """An answer of Lakera Guard v2 that flags these detectors."""
    return {
        **LAKERA_CLEAN,
        "payload": payload or [],
        "flagged": True,
        "breakdown": [
            {
                "project_id": "project-1",
                "policy_id": "policy-1",
                "detector_id": f"detector-{name}",
                "detector_type": name,
                "detected": True,
            }
            for name in detected
        ],
    }


def presidio(entity: str, start: int, end: int, score: float = 0.85) -> dict[str, object]:
    """One result of Presidio's analyzer."""
    return {
        "analysis_explanation": None,
        "end": end,
        "entity_type": entity,
        "score": score,
        "start": start,
        "recognition_metadata": {"recognizer_name": "SpacyRecognizer"},
    }
