{"key": "144fd63ece3aaa0f", "signature": "PMrgGUt8vYy5JOlF6Pj54G83jstFhtJ3j3NWtfeW0+MgtvD2+5KAec7TCtn8f0Jgh3D6TQsonLUUo8G1t8L5Ag=="}
