//! What does Pod Security admission say of a pod?
