"""What a button of the message box does; the words on it stand in `Messages`."""

from enum import Enum


class Remedy(Enum):
    """One thing a user can do about a message."""

    INSTALL = "install"
    CHOOSE_BACKEND = "chooseBackend"
    CHOOSE_PYTORCH = "choosePyTorch"
    WHEEL_FOLDER = "wheelFolder"
    REPAIR = "repair"
    COPY_REPORT = "copyReport"
    COPY_DIAGNOSIS = "copyDiagnosis"
    RETRY = "retry"
    RETRY_ON_CPU = "retryOnCpu"
    RETRY_FAST = "retryFast"
    CHOOSE_MASK = "chooseMask"
    MASK_AUTOMATIC = "maskAutomatic"
    CHOOSE_T1W = "chooseT1w"
    CHOOSE_FLAIR = "chooseFlair"
    WITHOUT_FLAIR = "withoutFlair"
    CHOOSE_MODEL = "chooseModel"
    BUILT_IN_MODEL = "builtInModel"
    OPEN_MODELS = "openModels"
    CHOOSE_JOB_FOLDER = "chooseJobFolder"
    CHOOSE_TRACER = "chooseTracer"
    RUN_ALL_THE_SAME = "runAllTheSame"
    USE_ANYWAY = "useAnyway"
    SHOW_DETAILS = "showDetails"
    SHOW_DATA = "showData"
    ACCEPT_ALIGNMENT = "acceptAlignment"
    CHOOSE_ACQUIRED = "chooseAcquired"
