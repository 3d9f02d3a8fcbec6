import os
import subprocess
import sys
import tempfile
import time
import unittest

ADAPTER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
IMPORT_SHOP = "from webapp_adapter.fresh import keep_no_fresh_bytecode as f; f(); import shop; print(shop.VERSION)"


class KeepNoFreshBytecode(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, version, modified):
        path = os.path.join(self.folder, "shop.py")
        with open(path, "w") as file:
            file.write(f"VERSION = {version}\n")
        os.utime(path, (modified, modified))

    def imported(self):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([ADAPTER, self.folder])}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        run = subprocess.run([sys.executable, "-c", IMPORT_SHOP], env=env, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def kept(self):
        cache = os.path.join(self.folder, "__pycache__")
        return os.listdir(cache) if os.path.isdir(cache) else []

    def test_saved_twice_within_a_second(self):
        now = time.time()
        self.write(1, now)
        self.assertEqual(self.imported(), "1")
        self.write(2, now)
        self.assertEqual(self.imported(), "2")
        self.assertEqual(self.kept(), [])

    def test_a_file_of_another_clock(self):
        self.write(1, time.time() + 3600)
        self.imported()
        self.assertEqual(self.kept(), [])

    def test_what_is_older_is_kept(self):
        self.write(1, time.time() - 10)
        self.imported()
        self.assertEqual(len(self.kept()), 1)


if __name__ == "__main__":
    unittest.main()
