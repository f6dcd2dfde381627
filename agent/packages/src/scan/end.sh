section manager manager
manager=$section_body
case $manager in
  apt | dnf | zypper | pacman | apk)
    section reboot reboot
    section restarts restarts
    "${manager}_scan"
    ;;
esac
