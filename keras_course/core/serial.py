"""Saving that loses nothing, loading that trusts nothing.

Saving: the new file is written beside the old one, flushed to disk, and put in its place by one rename. A manifest
(manifest.json, in the same folder) holds size and sha256 of every artefact; it lists the old and the new digest while
the rename happens, so that a process killed at any instant leaves a file the manifest vouches for.

Loading: size and sha256 must match, and every class that the file names must be Keras's own or this package's (the
frozen list REGISTERED_NAMES) or allowed by the caller, before anything is built. Keras's safe mode stays on.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from keras_course.core.errors import CorruptArtifact, ForbiddenClassError
from keras_course.core.registered_names import REGISTERED_NAMES

PACKAGE = "keras_course"
MANIFEST = "manifest.json"
EXPORT_MANIFEST = Path("assets.extra", "manifest.json")

# Keras classes that run foreign code or read foreign files when they are built.
_FORBIDDEN_KERAS = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})

T = TypeVar("T", bound=type)


def register(name: str) -> Callable[[T], T]:
    """Registers a class under `keras_course>name`; unlike Keras it refuses a name that is taken.

    Args:
        name: the registration name, frozen once released: saved models carry it.

    Raises:
        ValueError: if another class holds the name.
    """
    import keras

    def decorate(cls: T) -> T:
        holder = keras.saving.get_registered_object(f"{PACKAGE}>{name}")
        if holder is not None and (holder.__module__, holder.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"{PACKAGE}>{name} is registered already, by {holder!r}. Received: {cls!r}")
        registered: T = keras.saving.register_keras_serializable(package=PACKAGE, name=name)(cls)
        return registered

    return decorate


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Hexadecimal sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: str | os.PathLike[str], content: bytes | str | Callable[[Path], None]) -> None:
    """Puts a whole new file in place, or leaves the old one as it was.

    Args:
        path: where the file shall be.
        content: its bytes, its text (UTF-8), or a function that writes the file whose temporary path it is given
            (same suffix as `path`).

    Raises:
        OSError: if the folder cannot be written; the old file is untouched.
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        _fill(temporary, content)
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, target)
        _flush(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _fill(path: Path, content: bytes | str | Callable[[Path], None]) -> None:
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(folder: Path) -> dict[str, list[dict[str, Any]]]:
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise CorruptArtifact(path, f"not JSON ({error})") from None
    if not isinstance(manifest, dict):
        raise CorruptArtifact(path, "not a table of files")
    return manifest


def write_with_manifest(path: str | os.PathLike[str], content: bytes | str | Callable[[Path], None]) -> None:
    """`write_atomically`, with size and sha256 noted in the folder's manifest.

    The manifest vouches for the old and the new file while the rename happens, for the new one alone afterwards. Of
    several that a killed save left in it, the old one is that which lies there.
    """
    target = Path(path)
    manifest = _read_manifest(target.parent)
    before = manifest.get(target.name, [])
    if len(before) > 1 and target.is_file():
        digest = sha256_of(target)
        before = [entry for entry in before if entry.get("sha256") == digest]

    def write(temporary: Path) -> None:
        _fill(temporary, content)
        entry = {"sha256": sha256_of(temporary), "size": temporary.stat().st_size}
        manifest[target.name] = [*before[-1:], entry]
        _write_manifest(target.parent, manifest)

    write_atomically(target, write)
    manifest[target.name] = manifest[target.name][-1:]
    _write_manifest(target.parent, manifest)


def _write_manifest(folder: Path, manifest: dict[str, list[dict[str, Any]]]) -> None:
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def check_manifest(path: str | os.PathLike[str]) -> None:
    """Holds a file against its folder's manifest.

    Raises:
        CorruptArtifact: if the file is missing, or its size or sha256 is not the recorded one. A file in a folder
            without a manifest, or not listed there, passes: it was not saved by this package.
    """
    target = Path(path)
    if not target.is_file():
        raise CorruptArtifact(target, "there is no such file")
    entries = _read_manifest(target.parent).get(target.name)
    if entries is None:
        return
    size = target.stat().st_size
    if size not in [entry.get("size") for entry in entries]:
        raise CorruptArtifact(target, f"its size is {size} bytes, the manifest says {entries[-1].get('size')}")
    digest = sha256_of(target)
    if digest not in [entry.get("sha256") for entry in entries]:
        raise CorruptArtifact(target, f"its sha256 is {digest}, the manifest says {entries[-1].get('sha256')}")


def save_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Saves a Keras model to a .keras file, atomically and with a manifest entry.

    Args:
        model: any built Keras model.
        path: file name ending in .keras, in an existing folder.

    Raises:
        ValueError: for another ending.
        OSError: if it cannot be written; an earlier file stays as it was.
    """
    if Path(path).suffix != ".keras":
        raise ValueError(f"save_model writes .keras files. Received: path={os.fspath(path)!r}")
    write_with_manifest(path, lambda temporary: model.save(temporary))


def load(path: str | os.PathLike[str], allow: Iterable[type] = ()) -> Any:
    """Loads a .keras file after checking it; safe mode cannot be turned off.

    Args:
        path: a .keras file.
        allow: your own classes that the file may name, besides Keras's and this package's.

    Returns:
        The model, compiled if it was saved compiled.

    Raises:
        CorruptArtifact: if the file is damaged, incomplete or not a Keras archive.
        ForbiddenClassError: if it names a class that is not allowed; nothing was built.
    """
    import keras

    check_manifest(path)
    allowed = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in allow}
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise CorruptArtifact(path, f"not a Keras archive ({error})") from None
    for module, name, registered in _classes_named(config):
        _require_allowed(path, module, name, registered, allowed)
    try:
        return keras.saving.load_model(
            path, custom_objects={cls.__name__: cls for cls in allowed.values()}, safe_mode=True
        )
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, EOFError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CorruptArtifact(path, f"Keras cannot read it ({reason})") from error


def export_archive(endpoints: Mapping[str, tuple[Callable[..., Any], Iterable[Any]]], model: Any) -> Any:
    """A `keras.export.ExportArchive` of a model's endpoints, each of them traced, and no second time by `write_out`.

    Keras looks for variables in traces of its own; TensorFlow, which keeps those made while it saves apart from all
    others, then traces everything again. Here it is made as if TensorFlow saved, and Keras looks at the same.

    Args:
        endpoints: {name: (function, specs)}.
        model: whose variables and assets belong to it.

    Raises:
        ValueError: if an endpoint cannot be traced; the message names it.
    """
    import keras

    archive, traces = keras.export.ExportArchive(), {}
    archive.track(model)
    for name, (function, specs) in endpoints.items():
        try:
            endpoint = archive.add_endpoint(name, function, input_signature=list(specs))
            with _as_while_saving():
                traces[name] = endpoint.get_concrete_function()
        except Exception as error:
            raise ValueError(f"Endpoint {name!r} of {type(model).__name__} cannot be traced: {error}") from error
    look_for_variables: Any = getattr(archive, "_filter_and_track_resources", None)

    def look_into_traces() -> None:
        archive._get_concrete_fn = traces.__getitem__
        look_for_variables()
        del archive._get_concrete_fn

    if look_for_variables:
        archive._filter_and_track_resources = look_into_traces
    return archive


@contextmanager
def _as_while_saving() -> Iterator[None]:
    import tensorflow as tf

    try:
        from tensorflow.python.saved_model.save_context import save_context
    except ImportError:  # moved by a later version: traced twice, then
        yield
        return
    with save_context(tf.saved_model.SaveOptions()):
        yield


def vouch_for_export(folder: str | os.PathLike[str]) -> None:
    """Writes size and sha256 of every file of a SavedModel into its assets.extra/, which servers pass over."""
    root = Path(folder)
    entries = {
        path.relative_to(root).as_posix(): {"sha256": sha256_of(path), "size": path.stat().st_size}
        for path in _exported_files(root)
    }
    (root / EXPORT_MANIFEST).parent.mkdir(exist_ok=True)
    write_atomically(root / EXPORT_MANIFEST, json.dumps(entries, indent=1, sort_keys=True) + "\n")


def _exported_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path != root / EXPORT_MANIFEST)


def check_export(folder: str | os.PathLike[str]) -> None:
    """Holds a SavedModel against its manifest.

    Raises:
        CorruptArtifact: if it has none, or a file is missing, damaged, or not listed.
    """
    root = Path(folder)
    try:
        entries = json.loads((root / EXPORT_MANIFEST).read_text("utf-8"))
        wanted = {str(name): (entry["size"], entry["sha256"]) for name, entry in entries.items()}
    except OSError:
        raise CorruptArtifact(root, f"it has no {EXPORT_MANIFEST}; it was not exported by this package") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CorruptArtifact(root / EXPORT_MANIFEST, "it is not a manifest") from None
    found = {path.relative_to(root).as_posix(): path for path in _exported_files(root)}
    for name in sorted({*wanted, *found}):
        if name not in found:
            raise CorruptArtifact(root / name, "the manifest lists it, and it is missing")
        if name not in wanted:
            raise CorruptArtifact(root / name, "the manifest does not list it")
        if (found[name].stat().st_size, sha256_of(found[name])) != wanted[name]:
            raise CorruptArtifact(root / name, "its size or sha256 is not that of the manifest")


def load_exported(folder: str | os.PathLike[str]) -> Any:
    """Loads a SavedModel of this package after checking every file; keep the object, its variables live in it.

    Args:
        folder: NAME/VERSION, as `Model.export` wrote it.

    Returns:
        What tf.saved_model.load returns: an endpoint is an attribute of that name.

    Raises:
        CorruptArtifact: if a file is missing or damaged; TensorFlow has read nothing then.
    """
    check_export(folder)
    import tensorflow as tf

    return tf.saved_model.load(os.fspath(folder))


def _classes_named(config: Any) -> Iterable[tuple[str, str, str]]:
    """Every (module, class or function name, registered name) in a Keras config, at any depth."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            name = config["class_name"]
            if name == "function" and isinstance(config.get("config"), str):
                name = config["config"]
            yield str(config.get("module") or ""), name, str(config.get("registered_name") or "")
        for value in config.values():
            yield from _classes_named(value)
    elif isinstance(config, list):
        for value in config:
            yield from _classes_named(value)


def _require_allowed(path: object, module: str, name: str, registered: str, allowed: dict[str, type]) -> None:
    _import_registered()
    ours = registered.startswith(f"{PACKAGE}>") and registered.split(">", 1)[1] in REGISTERED_NAMES
    keras_own = module.split(".")[0] == "keras" and name not in _FORBIDDEN_KERAS
    value_only = name in {
        "__tensor__",
        "__numpy__",
        "__bytes__",
        "__tuple__",
        "__slice__",
        "__ellipsis__",
        "__keras_tensor__",
    }
    plain = module == "" and name not in _FORBIDDEN_KERAS and not name.startswith("__") and registered == ""
    if ours or keras_own or value_only or plain or f"{module}.{name}" in allowed:
        return
    raise ForbiddenClassError(
        f"{path} names the class {module + '.' if module else ''}{name}, which is neither Keras's nor {PACKAGE}'s; "
        f"pass it in allow=(...) if you trust it. Nothing was built."
    )


def _import_registered() -> None:
    """Registration happens on import, so the classes a file may name are imported before Keras looks for them."""
    import importlib

    parts = ("initializers", "layers", "losses", "metrics", "optimizers", "regularizers", "distributions", "models")
    for subpackage in parts:
        importlib.import_module(f"{PACKAGE}.{subpackage}")
