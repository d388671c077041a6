metadata description = 'Types that more than one module uses.'

@description('Texts by name: tags, or settings of the app.')
@export()
type texts = {
  @description('A text.')
  *: string
}
